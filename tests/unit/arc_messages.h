/*
 * arc_messages: for tests, a message that was sealed once and twice, by dkimpy 1.1.4
 * (dkim.arc_sign), and the key's record: of s._domainkey.example.net and of
 * s._domainkey.lists.example.com.
 */
#pragma once

/* clang-format off */
static const char arc_record[] =
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCkmCS/FyWRtVzJuXgiK12Q"
    "cESbGvbplt0EzRV2NrJ7aPt+o9iUnhQEUE5O2wMNyexUi7sxxYZ6jbXjXHPOKo4C693ef29iMJiC9M"
    "RpCpKNOG5gY/3x3wBGm7mJi8P1p4jEi80HFJUh3Qwm1UzuVHlxPneKehTIgMSpqV5dzcHInwIDAQAB";

static const char arc_one[] =
    "ARC-Authentication-Results: i=1; mx.example.net; arc=none;\r\n"
    "  spf=pass smtp.mailfrom=example.org\r\n"
    "ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=example.net; s=s; t=1700000001; h=from : to : subject : date :\r\n"
    " message-id; bh=M6GubHbRzF0WB4MV32Wg3T2Y3p75vnlXaVnER9TwuQc=;\r\n"
    " b=hhfCidhic9xOIATgeo7ixAjFRjK8ZHb1p9aXvkmnoeS6Kpn6DaovFSbPANj8A3S7Ni1ff\r\n"
    " khXRqIPdXYCndF96b7klvDW0mE+d/mRoGKcqJ/PNjWRHIOMd9TlL4oEIoTpSs+gI4mKs4pp\r\n"
    " XnEqrz+LjjzVE80rCVfms3fBT2cbb6A=\r\n"
    "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=example.net; s=s; t=1700000001;\r\n"
    " b=jWtsRt4nXrgDJaAACcIf4H0zGMmVgkb5YP5/mBstLSRXR5Iwg0M812P8CUTRKWWJWt3ww\r\n"
    " AUtENYl0/l+fWiOystz7zHzYX0lbAdNrx7YmIob6OVdws5svSumzyDrsLQcoUqUPj9WPs82\r\n"
    " OB7esoCiy6mR/4ff3RZQAQyztydOQqg=\r\n"
    "From: A <a@example.org>\r\n"
    "To: c@example.com\r\n"
    "Subject: words\r\n"
    "Date: Tue, 24 Nov 2026 05:00:00 +0000\r\n"
    "Message-ID: <1@example.org>\r\n"
    "\r\n"
    "Hello  there, \r\n"
    "\r\n"
    "bye\r\n"
    "\r\n"
    "\r\n";

static const char arc_two[] =
    "ARC-Authentication-Results: i=2; mx.example.com; arc=pass;\r\n"
    "  spf=pass smtp.mailfrom=example.org\r\n"
    "ARC-Message-Signature: i=2; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=lists.example.com; s=s; t=1700000002; h=from : to : subject : date :\r\n"
    " message-id; bh=M6GubHbRzF0WB4MV32Wg3T2Y3p75vnlXaVnER9TwuQc=;\r\n"
    " b=KvXVkETFfjIrdBOlmEw02LMrlF/38gW7aNZqztF9EtKeRd9guec37KZoM+lOMOcw8yVCf\r\n"
    " X9KutpRLTw5O/kVpK8+KtgCX2A4CKgvS2klA7PXF8hnxq/QqQtr04NITnv39Tufzra5aSdd\r\n"
    " 9tM9iAo5fQgYMpVaf80tD52PixtPyc8=\r\n"
    "ARC-Seal: i=2; cv=pass; a=rsa-sha256; d=lists.example.com; s=s;\r\n"
    " t=1700000002;\r\n"
    " b=B019zkh7FZbGkJaxRAy4u/vQ1yWC13AXzTD3MU6LVaMSMw9wTQN8HrrDZEQbccKKFtHJo\r\n"
    " 3kNnZloQX6lv+5pXYC+9CULZoLRmov4rNXl3aUaSIiiJ7l2PYH7pn2bgN+ShJtJSCGG6IyF\r\n"
    " kEZ2+Qxyh+kfIPNlRQOstbyaT73iCdY=\r\n"
    "ARC-Authentication-Results: i=1; mx.example.net; arc=none;\r\n"
    "  spf=pass smtp.mailfrom=example.org\r\n"
    "ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
    " d=example.net; s=s; t=1700000001; h=from : to : subject : date :\r\n"
    " message-id; bh=M6GubHbRzF0WB4MV32Wg3T2Y3p75vnlXaVnER9TwuQc=;\r\n"
    " b=hhfCidhic9xOIATgeo7ixAjFRjK8ZHb1p9aXvkmnoeS6Kpn6DaovFSbPANj8A3S7Ni1ff\r\n"
    " khXRqIPdXYCndF96b7klvDW0mE+d/mRoGKcqJ/PNjWRHIOMd9TlL4oEIoTpSs+gI4mKs4pp\r\n"
    " XnEqrz+LjjzVE80rCVfms3fBT2cbb6A=\r\n"
    "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=example.net; s=s; t=1700000001;\r\n"
    " b=jWtsRt4nXrgDJaAACcIf4H0zGMmVgkb5YP5/mBstLSRXR5Iwg0M812P8CUTRKWWJWt3ww\r\n"
    " AUtENYl0/l+fWiOystz7zHzYX0lbAdNrx7YmIob6OVdws5svSumzyDrsLQcoUqUPj9WPs82\r\n"
    " OB7esoCiy6mR/4ff3RZQAQyztydOQqg=\r\n"
    "From: A <a@example.org>\r\n"
    "To: c@example.com\r\n"
    "Subject: words\r\n"
    "Date: Tue, 24 Nov 2026 05:00:00 +0000\r\n"
    "Message-ID: <1@example.org>\r\n"
    "\r\n"
    "Hello  there, \r\n"
    "\r\n"
    "bye\r\n"
    "\r\n"
    "\r\n";
/* clang-format on */
