#!/usr/bin/env python3
"""Identities of jobs, for tests: `identities.py DIR ISSUER` writes what an issuer of OpenID Connect publishes (keys.json),
tokens that it gave to jobs (tokens/*: one is valid, each of the others is invalid in one way), and the configuration with
which SeaweedFS gives a role for the valid one (iam.json). Signs with the openssl command."""
import base64, json, pathlib, subprocess, sys, time

work, issuer = pathlib.Path(sys.argv[1]), sys.argv[2]
role, bucket = "arn:aws:iam::123456789012:role/perf-runs", "arn:aws:s3:::perf-runs"
subject, audience = "repo:acme/parser:ref:refs/heads/main", "sts.amazonaws.com"


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=b""):
    return subprocess.run(["openssl", *arguments], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout


def token(name, key="issuer", **claims):
    now = int(time.time())
    claims = {"iss": issuer, "aud": audience, "sub": subject, "iat": now, "nbf": now - 5, "exp": now + 6 * 3600, **claims}
    signed = ".".join(text(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": "one"}, claims))
    signature = openssl("dgst", "-sha256", "-sign", work / f"{key}.pem", data=signed.encode())
    (work / "tokens" / name).write_text(f"{signed}.{text(signature)}")


def statement(*actions, **more):
    return {"Effect": "Allow", "Action": list(actions), **more}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


for key in "issuer", "stranger":
    openssl("genrsa", "-out", work / f"{key}.pem", "2048")
modulus = bytes.fromhex(openssl("rsa", "-in", work / "issuer.pem", "-noout", "-modulus").decode().split("=")[1])
keys = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": text(modulus), "e": "AQAB"}]}
(work / "keys.json").write_text(json.dumps(keys))

(work / "tokens").mkdir()
token("good")
token("forged", key="stranger")
token("expired", exp=1_700_000_000)
token("of-another-repository", sub="repo:somebody/else:ref:refs/heads/main")
token("for-another-service", aud="https://example.com")

# Exactly the permissions that docs/store.md lists for a recorder.
rights = document(
    statement("s3:ListBucket", Resource=[bucket]), statement("s3:GetObject", "s3:PutObject", Resource=[f"{bucket}/*"]))
trust = document(statement(
    "sts:AssumeRoleWithWebIdentity", Principal={"Federated": "jobs"}, Condition={"StringEquals": {"oidc:sub": subject}}))
provider = {"issuer": issuer, "clientId": audience, "jwksUri": f"{issuer}/keys.json"}
(work / "iam.json").write_text(json.dumps({
    "sts": {"tokenDuration": "1h", "maxSessionLength": "12h", "issuer": "sts", "signingKey": text(b"a key for nothing but these tests")},
    "policy": {"defaultEffect": "Deny", "storeType": "memory"},
    "providers": [{"name": "jobs", "type": "oidc", "enabled": True, "config": provider}],
    "policies": [{"name": "record", "document": rights}],
    "roles": [{"roleName": "perf-runs", "roleArn": role, "attachedPolicies": ["record"], "trustPolicy": trust}],
}))
