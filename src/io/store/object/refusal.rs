//! How a server refused a request: the status, and the code and message of its body. The client's own errors carry
//! these only as text, so they are recorded here as the responses arrive.

use super::text::clean;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpResponseBody, HttpService, ReqwestConnector,
};
use quick_xml::events::Event;
use std::cell::RefCell;
use std::pin::Pin;

tokio::task_local! {
    /// The refusal of the newest request of this task.
    static NEWEST: RefCell<Option<Refusal>>;
}

/// A server's response to a request that it refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The HTTP status. For a request for several objects, that of the first object that was refused.
    pub(super) status: u16,
    /// The name of the status, or the text that the server sends instead.
    reason: String,
    /// A redirect without a target, which is S3's response for a bucket of another region.
    pub(super) is_bare_redirect: bool,
    /// The provider's own code, such as `NoSuchBucket`.
    pub(super) code: Option<String>,
    pub(super) message: String,
    details: String,
    /// The bucket's region, where the server names it.
    pub(super) region: Option<String>,
    /// The server is Azure's emulator.
    pub(super) is_azurite: bool,
}

/// A failed request: the client's error, and the server's refusal if that was the cause.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: object_store::Error,
    pub(super) refusal: Option<Refusal>,
}

impl Failure {
    /// True if the bucket exists and the object does not.
    pub(super) fn is_missing_object(&self) -> bool {
        let code = self.refusal.as_ref().and_then(|refusal| refusal.code.as_deref());
        matches!(self.error, object_store::Error::NotFound { .. })
            && !matches!(code, Some("NoSuchBucket" | "ContainerNotFound"))
    }
}

/// Runs one request of the client.
pub(super) async fn recorded<T>(request: impl Future<Output = object_store::Result<T>>) -> Result<T, Failure> {
    let run = async {
        let newest = || NEWEST.with(|newest| newest.borrow().clone());
        request.await.map_err(|error| Failure { error, refusal: newest() })
    };
    NEWEST.scope(RefCell::new(None), run).await
}

fn set_newest(refusal: Option<Refusal>) {
    let _ = NEWEST.try_with(|newest| newest.replace(refusal)); // not read outside of `recorded`
}

impl Refusal {
    /// Reads the body of an answer; `None` if the server did not refuse anything.
    fn read(status: u16, reason: &str, is_bare_redirect: bool, body: &[u8]) -> Option<Refusal> {
        let mut refusal = Refusal { status, reason: reason.to_owned(), is_bare_redirect, ..Refusal::default() };
        if (200..300).contains(&status) {
            // An answer for several objects at once: S3's is one document, Azure's has an answer inside for each object.
            return match refused_part(body) {
                Some((status, reason, rest)) => Refusal::read(status, reason, false, rest),
                None => refusal.read_xml(body).then_some(refusal),
            };
        }
        if !refusal.read_xml(body) {
            refusal.read_json(body);
        }
        Some(refusal)
    }

    /// Adds what only the answer's headers have.
    fn with_headers<'h>(self, header: impl Fn(&str) -> Option<&'h str>) -> Refusal {
        let region = self.region.or_else(|| header("x-amz-bucket-region").map(str::to_owned));
        let is_azurite = header("server").is_some_and(|server| server.starts_with("Azurite"));
        Refusal { region, is_azurite, ..self }
    }

    /// True if the body has an `<Error>`. What follows a break in the document is left out.
    fn read_xml(&mut self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        let mut reader = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}'));
        let (mut open, mut found): (Vec<String>, bool) = (Vec::new(), false);
        loop {
            let text = match reader.read_event() {
                Ok(Event::Start(tag)) => {
                    open.push(tag.local_name().as_ref().to_owned());
                    found |= open.last().is_some_and(|name| name == "Error");
                    continue;
                }
                Ok(Event::End(tag)) => {
                    open.pop();
                    if tag.local_name().as_ref() == "Error" {
                        return found;
                    }
                    continue;
                }
                Ok(Event::Text(text)) => text.as_ref().to_owned(),
                Ok(Event::GeneralRef(reference)) => {
                    let name: &str = reference.as_ref();
                    let character = reference.resolve_char_ref().ok().flatten().map(String::from);
                    character
                        .or_else(|| quick_xml::escape::resolve_predefined_entity(name).map(str::to_owned))
                        .unwrap_or_default()
                }
                Ok(Event::Eof) | Err(_) => return found,
                Ok(_) => continue,
            };
            if !found {
                continue;
            }
            match open.last().map(String::as_str) {
                Some("Code") => self.code.get_or_insert_default().push_str(&text),
                Some("Message") => self.message.push_str(&text),
                Some("Details") => self.details.push_str(&text),
                Some("Region") => self.region.get_or_insert_default().push_str(&text),
                _ => {}
            }
        }
    }

    /// The error of a service that gives out tokens.
    fn read_json(&mut self, body: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<serde_json::Value>(body) else { return };
        let text = |key: &str| answer.get(key).and_then(serde_json::Value::as_str);
        self.code = text("error").map(str::to_owned);
        self.message = text("error_description").unwrap_or_default().to_owned();
    }

    /// The code and message for an error of ours, without the numbers that only the provider's support can use.
    pub(super) fn describe(&self) -> String {
        let Some(code) = &self.code else { return clean(&format!("status {} {}", self.status, self.reason)) };
        // Azure's message continues with the number and time of the request; Microsoft's message about a token, with those of
        // a trace.
        let message = self.message.split("\nRequestId:").next().unwrap_or_default();
        let message = message.split("Trace ID").next().unwrap_or_default().trim();
        if message.is_empty() {
            return clean(code);
        }
        // Google's details name the account and the permission that it lacks.
        clean(&format!("{code}: {message} {}", self.details))
    }
}

/// The first refusal in a body with several HTTP answers: its status, its reason, and what follows.
fn refused_part(body: &[u8]) -> Option<(u16, &str, &[u8])> {
    const VERSION: &[u8] = b"HTTP/1.1 ";
    let mut rest = body;
    loop {
        let at = rest.windows(VERSION.len()).position(|bytes| bytes == VERSION)?;
        rest = &rest[at + VERSION.len()..];
        let line = std::str::from_utf8(rest.split(|byte| *byte == b'\r').next()?).ok()?;
        let (status, reason) = line.split_once(' ').unwrap_or((line, ""));
        match status.parse() {
            Ok(status) if status >= 300 => return Some((status, reason, rest)),
            _ => {}
        }
    }
}

/// The client's usual connections, with every refusal recorded.
#[derive(Debug, Default)]
pub(super) struct Connector(ReqwestConnector);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(RecordingClient(self.0.connect(options)?)))
    }
}

#[derive(Debug)]
struct RecordingClient(HttpClient);

/// What `async_trait` makes of an `async fn`.
type ResponseFuture<'a> = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'a>>;

impl HttpService for RecordingClient {
    fn call<'life0, 'async_trait>(&'life0 self, request: HttpRequest) -> ResponseFuture<'async_trait>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            set_newest(None);
            // A request for several objects returns success even if some of them fail.
            let for_several = request.method().as_str() == "POST";
            let response = self.0.execute(request).await?;
            let status = response.status();
            let failed = status.is_redirection() || status.is_client_error() || status.is_server_error();
            if !failed && !for_several {
                return Ok(response);
            }
            let (parts, body) = response.into_parts();
            // Without its body the status still counts.
            let body = if failed { body.bytes().await.unwrap_or_default() } else { body.bytes().await? };
            let is_bare_redirect = status.is_redirection() && !parts.headers.contains_key("location");
            let reason = status.canonical_reason().unwrap_or_default();
            let refusal = Refusal::read(status.as_u16(), reason, is_bare_redirect, &body);
            set_newest(refusal.map(|refusal| refusal.with_headers(|name| parts.headers.get(name)?.to_str().ok())));
            Ok(HttpResponse::from_parts(parts, HttpResponseBody::from(body)))
        })
    }
}

#[cfg(test)]
pub(super) fn refusal(status: u16, body: &str) -> Refusal {
    Refusal::read(status, "", false, body.as_bytes()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_message_are_read_from_xml() {
        let body = "\u{feff}<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code><Message>&quot;x&quot; is &#39;gone&#39;\
                    \nRequestId:c958dfca\nTime:2026-11-21</Message><Region>eu-north-1</Region></Error>";
        let read = refusal(404, body);
        assert_eq!((read.status, read.code.as_deref()), (404, Some("NoSuchBucket")));
        assert_eq!(read.region.as_deref(), Some("eu-north-1"));
        assert_eq!(read.describe(), "NoSuchBucket: \"x\" is 'gone'");
        let nested = "<ErrorResponse><RequestId>1</RequestId><Error><Code>ExpiredToken</Code></Error></ErrorResponse>";
        assert_eq!(refusal(400, nested).describe(), "ExpiredToken");
    }

    #[test]
    fn code_and_message_are_read_from_json() {
        let body = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS70021: No matching record.\\r\\nTrace ID: 17\"}";
        assert_eq!(refusal(401, body).describe(), "invalid_client: AADSTS70021: No matching record.");
    }

    #[test]
    fn an_answer_without_a_known_body_has_its_status() {
        let read = |body: &[u8]| Refusal::read(404, "Not Found", false, body).unwrap().describe();
        assert_eq!(read(b""), "status 404 Not Found");
        assert_eq!(read(b"<html><p>gone</p>"), "status 404 Not Found");
        assert_eq!(read(b"\xff\xfe{"), "status 404 Not Found");
    }

    #[test]
    fn a_refused_object_is_found_in_an_answer_for_several() {
        let s3 = "<DeleteResult><Error><Key>b/x</Key><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>\
                  </DeleteResult>";
        assert_eq!(refusal(200, s3).describe(), "AccessDenied: Access Denied.");
        let azure = "--b\r\nContent-ID: 0\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n\r\n--b\r\nContent-ID: 1\r\n\r\n\
                     HTTP/1.1 403 Not permitted.\r\nx: y\r\n\r\n--b--\r\n";
        assert_eq!(refusal(202, azure).describe(), "status 403 Not permitted.");
        let none = b"<DeleteResult><Deleted><Key>b/x</Key></Deleted></DeleteResult>";
        assert_eq!(Refusal::read(200, "OK", false, none), None);
        assert_eq!(Refusal::read(200, "OK", false, b"{\"access_token\":\"s3cr3t\"}"), None);
    }
}
