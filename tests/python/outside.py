"""Let a library that someone else has published do one thing, and print what came of it as a line of JSON.

usage: outside.py WHAT INPUT, the input being a JSON object with the arguments of the function WHAT.

Where a platform's library wants a proxy class for each call, the class here says no more than the call's name.
"""

import json
import sys
import time
from urllib.parse import urlsplit


def standard_webhooks(url, secret, message_id, body):
    """The status of the answer to a message that the standard's reference library has signed."""
    import datetime

    import httpx
    from standardwebhooks.webhooks import Webhook

    now = datetime.datetime.now(tz=datetime.timezone.utc)
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body),
    }
    return httpx.post(url, content=body.encode(), headers=headers, timeout=30).status_code


# An order's record, asked for at a platform's API.


def taobao(base, key, secret, token, order, **_):
    from taobaopy.taobao import TaoBaoAPIClient

    client = TaoBaoAPIClient(key, secret, domain=base)
    client.set_access_token(token)
    return client.trade_fullinfo_get(fields="tid,status,payment", tid=order)


def jd(base, key, secret, token, order, **_):
    import jd
    from jd.api.base import RestApi

    class PopOrderGet(RestApi):
        def getapiname(self):
            return "jingdong.pop.order.get"

    call = PopOrderGet(urlsplit(base).hostname, urlsplit(base).port)
    call.set_app_info(jd.appinfo(key, secret))
    call.order_id, call.optional_fields = order, "orderId,orderState"
    return call.getResponse(token)


def pinduoduo(base, key, secret, token, order, **_):
    import pdd_sdk
    from pdd_sdk.api.base import RestApi

    class OrderInformationGet(RestApi):
        def getapiname(self):
            return "pdd.order.information.get"

    call = OrderInformationGet(urlsplit(base).hostname, urlsplit(base).port)
    call.set_app_info(pdd_sdk.appinfo(key, secret))
    call.access_token, call.order_sn = token, order
    return call.getResponse()


def kuaishou(base, key, sign_secret, token, order, **_):
    import httpx
    from kwaixiaodian.auth import AuthConfig, SignatureManager

    signer = SignatureManager(AuthConfig(key, "", sign_secret))
    params = signer.build_signed_params("open.order.detail", token, {"oid": int(order)})
    # The library's own client has `open` twice in the address.
    return httpx.get(base + "/open/order/detail", params=params).json()


def xiaohongshu(base, key, secret, token, order, **_):
    from xiaohongshu_ecommerce import ClientConfig, XhsClient

    url = base + "/ark/open_api/v3/common_controller"
    client = XhsClient.create(ClientConfig(base_url=url, app_id=key, app_secret=secret, version="2.0"))
    later = int(time.time() + 86_400) * 1000
    client.set_tokens_manually(token, "", later, later, "", "")
    return client.order.get_order_detail(order_id=order).as_dict()


def douyin(base, key, secret, token, order, **_):
    from doudian import AppType, DouDian

    client = DouDian(key, secret, AppType.TOOL)
    client._gate_way, client._token = base, {"access_token": token, "expires_in": time.time() + 86_400}
    return client.request("/order/orderDetail", {"shop_order_id": order})


# Pushes.


def wechat_store_push(token, message_key, app_id, event, timestamp, nonce):
    """The push's query and body."""
    import xmltodict
    from wechatpy.crypto import WeChatCrypto

    sealed = xmltodict.parse(WeChatCrypto(token, message_key, app_id).encrypt_message(event, nonce, timestamp))["xml"]
    query = f"timestamp={timestamp}&nonce={nonce}&encrypt_type=aes&msg_signature={sealed['MsgSignature']}"
    return {"query": query, "body": json.dumps({"ToUserName": "gh_0123456789ab", "Encrypt": sealed["Encrypt"]})}


def wechat_crypto(family, token, key, receive_id):
    """The library's class for WeCom, or for Official Accounts."""
    if family == "wecom":
        from wechatpy.enterprise.crypto import WeChatCrypto
    else:
        from wechatpy.crypto import WeChatCrypto
    return WeChatCrypto(token, key, receive_id)


def wechat_seal(family, token, key, receive_id, message, timestamp, nonce):
    """The envelope of a message: Encrypt, MsgSignature, TimeStamp, Nonce."""
    import xmltodict

    sealed = wechat_crypto(family, token, key, receive_id).encrypt_message(message, nonce, timestamp)
    return xmltodict.parse(sealed)["xml"]


def wechat_open(family, token, key, receive_id, body, signature, timestamp, nonce):
    """The message of an envelope; nothing where the library does not accept it."""
    from wechatpy.exceptions import WeChatException

    try:
        return wechat_crypto(family, token, key, receive_id).decrypt_message(body, signature, timestamp, nonce)
    except WeChatException:
        return None


def wecom_echo(token, key, receive_id, echo, signature, timestamp, nonce):
    """The echo that WeCom's console wants back."""
    return wechat_crypto("wecom", token, key, receive_id).check_signature(signature, timestamp, nonce, echo)


def xiaohongshu_push(key, secret, path, timestamp):
    """The header `sign`."""
    from xiaohongshu.api.api import ARK

    return ARK(key, secret).comm._sign(path, {"app-key": key, "timestamp": timestamp})


def douyin_push(key, secret, headers, body):
    """The messages of a push that is authentic; else nothing."""
    from doudian import AppType, DouDian

    return DouDian(key, secret, AppType.TOOL).callback(headers, body.encode())


print(json.dumps(globals()[sys.argv[1]](**json.loads(sys.argv[2]))))
