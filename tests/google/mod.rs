//! A stand-in for Google Cloud Storage, because no server in the package registries implements its XML API with conditional
//! requests. It follows Google's documentation for the few requests that perfgate makes. So the tests check the requests and
//! the handling of documented answers, not the behaviour of Google's servers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// A token with all permissions. It must never be printed.
pub const TOKEN: &str = "ya29.s3cr3t-writer";
/// A token that can read and list.
pub const READER: &str = "ya29.s3cr3t-reader";

/// The server, with a bucket `perf-runs`.
pub struct Google {
    server: MockServer,
    objects: Objects,
    runtime: tokio::runtime::Runtime,
}

type Objects = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

impl Google {
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let server = runtime.block_on(MockServer::start());
        let objects = Objects::default();
        runtime.block_on(Mock::given(any()).respond_with(Answers(objects.clone())).mount(&server));
        Google { server, objects, runtime }
    }

    /// The environment of a process with a token.
    pub fn environment(&self, token: &str) -> Vec<(&'static str, String)> {
        vec![
            ("GOOGLE_BASE_URL", self.server.uri()),
            ("GOOGLE_ALLOW_HTTP", "true".to_owned()),
            ("GOOGLE_OAUTH_ACCESS_TOKEN", token.to_owned()),
        ]
    }

    pub fn requests(&self) -> Vec<Request> {
        self.runtime.block_on(self.server.received_requests()).unwrap()
    }

    pub fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

struct Answers(Objects);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut objects = self.0.lock().unwrap();
        let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
        let verb = request.method.as_str();
        let token = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match token {
            Some(TOKEN) => {}
            // A token that a service account signs: three parts, the first an encoded `{"…`.
            Some(signed) if signed.starts_with("eyJ") && signed.split('.').count() == 3 => {}
            // The bucket is public.
            None if matches!(verb, "GET" | "HEAD") => {}
            Some(READER) if matches!(verb, "GET" | "HEAD") => {}
            Some(READER) => {
                let details = "reader@acme.iam.gserviceaccount.com does not have storage.objects.create access to the \
                               Google Cloud Storage object.";
                return refusal(403, "AccessDenied", "Access denied.", details);
            }
            _ => return refusal(401, "AuthenticationRequired", "Authentication required.", ""),
        }
        let path = request.url.path().trim_start_matches('/');
        let (bucket, object) = path.split_once('/').unwrap_or((path, ""));
        if decoded(bucket) != "perf-runs" {
            return refusal(404, "NoSuchBucket", "The specified bucket does not exist.", "");
        }
        let object = decoded(object);
        match (verb, object.is_empty()) {
            ("GET", true) => list(&objects, request),
            ("GET" | "HEAD", false) => match objects.get(&object) {
                Some(bytes) => content(bytes, header("range")),
                None => refusal(404, "NoSuchKey", "The specified key does not exist.", ""),
            },
            ("PUT", false) => {
                if header("x-goog-if-generation-match") == Some("0") && objects.contains_key(&object) {
                    let message = "At least one of the pre-conditions you specified did not hold.";
                    return refusal(412, "PreconditionFailed", message, "");
                }
                objects.insert(object, request.body.clone());
                ResponseTemplate::new(200).insert_header("etag", "\"1\"").insert_header("x-goog-generation", "1")
            }
            ("DELETE", false) if objects.remove(&object).is_some() => ResponseTemplate::new(204),
            ("DELETE", false) => refusal(404, "NoSuchKey", "The specified key does not exist.", ""),
            _ => refusal(405, "MethodNotAllowed", "The specified method is not allowed.", ""),
        }
    }
}

fn refusal(status: u16, code: &str, message: &str, details: &str) -> ResponseTemplate {
    let details = if details.is_empty() { String::new() } else { format!("<Details>{details}</Details>") };
    let body = format!(
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code><Message>{message}</Message>{details}</Error>"
    );
    ResponseTemplate::new(status).set_body_raw(body, "application/xml; charset=UTF-8")
}

fn content(bytes: &[u8], range: Option<&str>) -> ResponseTemplate {
    let whole = bytes.len();
    let asked = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let (status, part) = match asked {
        Some((from, to)) => (206, from.parse().unwrap()..to.parse::<usize>().unwrap().min(whole - 1) + 1),
        None => (200, 0..whole),
    };
    let answer = ResponseTemplate::new(status)
        .insert_header("etag", "\"1\"")
        .insert_header("last-modified", "Wed, 01 Jul 2026 00:00:00 GMT");
    let answer = match status {
        206 => answer.insert_header("content-range", format!("bytes {}-{}/{whole}", part.start, part.end - 1)),
        _ => answer,
    };
    answer.set_body_raw(&bytes[part], "application/octet-stream")
}

/// A listing in alphabetical order, 1,000 names a page.
fn list(objects: &BTreeMap<String, Vec<u8>>, request: &Request) -> ResponseTemplate {
    let asked: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
    assert_eq!(asked.get("list-type").map(String::as_str), Some("2"));
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let (prefix, delimiter) = (of("prefix"), of("delimiter"));
    let after = of("continuation-token").max(of("start-after"));
    let (mut body, mut listed, mut last) = (String::new(), 0, String::new());
    let mut next = String::new();
    for (name, bytes) in objects.range(prefix.clone()..).take_while(|(name, _)| name.starts_with(&prefix)) {
        let folder = (!delimiter.is_empty())
            .then(|| name[prefix.len()..].split_once(&delimiter))
            .flatten()
            .map(|(folder, _)| format!("{prefix}{folder}{delimiter}"));
        let shown = folder.clone().unwrap_or_else(|| name.clone());
        if shown <= after || shown == last {
            continue;
        }
        if listed == 1000 {
            next = format!("<NextContinuationToken>{last}</NextContinuationToken>");
            break;
        }
        listed += 1;
        body += &match &folder {
            Some(folder) => format!("<CommonPrefixes><Prefix>{folder}</Prefix></CommonPrefixes>"),
            None => format!(
                "<Contents><Key>{name}</Key><Generation>1</Generation><LastModified>2026-07-01T00:00:00.000Z\
                 </LastModified><ETag>\"1\"</ETag><Size>{}</Size></Contents>",
                bytes.len()
            ),
        };
        last = shown;
    }
    let whole = format!(
        "<?xml version='1.0' encoding='UTF-8'?><ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>\
         <Name>perf-runs</Name><Prefix>{prefix}</Prefix><IsTruncated>{}</IsTruncated>{next}{body}</ListBucketResult>",
        !next.is_empty()
    );
    ResponseTemplate::new(200).set_body_raw(whole, "application/xml; charset=UTF-8")
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        if *first == b'%' && more.len() >= 2 {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&more[..2]).unwrap(), 16).unwrap());
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    String::from_utf8(bytes).unwrap()
}
