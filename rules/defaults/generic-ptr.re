# Names that providers make from the addresses of their customers and of rented machines. On such
# a line stands hardly ever a mail server, and where one does, its owner could give it a name.
#
#     filters:
#       ptr: { generic: [ file: defaults/generic-ptr.re ] }
#
# One regular expression (PCRE2) a line; letters of either case are the same. This file is
# replaced when postern is updated; put patterns of your own beside it. What calls itself mail,
# smtp, mta or mx is left alone by the general patterns: services that send for many often have an
# address in the names of their servers.

# An address of four numbers, with . - _ or x between: 72-94-12-33, ip.10.20.30.40, 010x020x030x040
^(?!.*(?:mail|smtp|mta|mx\d*[.-])).*?(?<!\d)(?:(?:25[0-5]|2[0-4]\d|[01]?\d?\d)[-._x]){3}(?:25[0-5]|2[0-4]\d|[01]?\d?\d)(?!\d).*\.

# Four numbers of three digits each, nothing between: 072094012033
^(?!.*(?:mail|smtp|mta|mx\d*[.-])).*?(?<!\d)(?:25[0-5]|2[0-4]\d|[01]\d\d){4}(?!\d)

# A word for a kind of line, and a first label with two digits or more: host123.dsl.example.net
^(?!.*(?:mail|smtp|mta|mx\d*[.-]))(?=[^.]*\d[^.]*\d)(?:.*[.-])?(?:dyn|dynamic|dynamic-?ip|dynip|dial|dialup|dial-?in|ppp|pppoe|[avx]?dsl|cable|catv|docsis|dhcp|pools?|broadband|ftth|fttx|gprs|umts|lte|mobile|wireless|wimax|residential|res|abo|cpe|hsd\d*)[.-](?:.+\.)?[^.]+\.[^.]+$

# An address in hexadecimal before such a word: ip5f5ac212.dynamic.example.de
^[a-z-]{0,12}?[0-9a-f]{8}\.(?:.*\.)?(?:dyn|dynamic|dip\d*|dial|pools?|[avx]?dsl|cable|customer|cust)\.

# Deutsche Telekom, both kinds of addresses: p5b2c3d4e.dip0.t-ipconnect.de
^p[0-9a-f]{8,32}\.dip\d*\.t-ip(?:connect|net)\.de$

# Wanadoo and Orange in France: lfbn-lyo-1-123-45.w86-200.abo.wanadoo.fr
\.w\d+-\d+\.abo\.wanadoo\.fr$

# Rented machines that nobody has given a name
\.ip-\d+-\d+-\d+\.(?:eu|net)$
\.bc\.googleusercontent\.com$
^ec2-\d+-\d+-\d+-\d+\.

# Names that say only that there is none
^(?:localhost|localhost\.localdomain|unknown|unassigned|undefined)(?:\.|$)
^(?:no|without)-?(?:reverse|ptr|rdns|dns)(?:[.-]|$)
^static\.vnpt\.vn$
