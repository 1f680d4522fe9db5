"""Sign a message with the reference library of Standard Webhooks and send it; print the status of the answer.

usage: send.py URL SECRET ID BODY
"""

import datetime
import sys
import urllib.error
import urllib.request

from standardwebhooks.webhooks import Webhook

url, secret, message_id, body = sys.argv[1:]
now = datetime.datetime.now(tz=datetime.timezone.utc)
headers = {
    "content-type": "application/json",
    "webhook-id": message_id,
    "webhook-timestamp": str(int(now.timestamp())),
    "webhook-signature": Webhook(secret).sign(message_id, now, body),
}
request = urllib.request.Request(url, body.encode(), headers)
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(answer.status)
except urllib.error.HTTPError as refused:
    print(refused.code)
