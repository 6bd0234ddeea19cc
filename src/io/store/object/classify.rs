//! Which fault an error of the client is. Keys, tokens and signed URLs may be anywhere in such an error, so only the
//! server's code and message and the innermost cause are shown.

use super::Provider;
use super::advice::{FEDERATION, credentials};
use super::fault::BucketFault;
use super::refusal::{Failure, Refusal};
use super::text::clean;
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error;

impl BucketFault {
    /// The fault behind a failed request.
    pub(super) fn of(failure: &Failure, region: &str) -> BucketFault {
        let Failure { error, refusal } = failure;
        if let Some(kind) = connection(error) {
            let why = innermost(error);
            return if kind == HttpErrorKind::Connect {
                BucketFault::Unreachable(why)
            } else {
                BucketFault::Unavailable(why)
            };
        }
        if let Some(refusal) = refusal {
            return BucketFault::of_refusal(refusal, region);
        }
        let why = innermost(error);
        match error {
            object_store::Error::PermissionDenied { .. } => BucketFault::Denied(why),
            object_store::Error::Unauthenticated { .. } => BucketFault::BadCredentials(why),
            _ => BucketFault::Other(why),
        }
    }

    fn of_refusal(refusal: &Refusal, region: &str) -> BucketFault {
        let other_region =
            || BucketFault::Region { bucket: refusal.region.as_deref().map(clean), request: region.to_owned() };
        if refusal.is_bare_redirect {
            return other_region();
        }
        let why = refusal.describe();
        let Some(code) = &refusal.code else {
            return match refusal.status {
                403 => BucketFault::Denied(why),
                401 => BucketFault::BadCredentials(why),
                404 => BucketFault::NoBucket(why),
                500..=599 => BucketFault::Unavailable(why),
                _ => BucketFault::Other(why),
            };
        };
        match code.as_str() {
            "NoSuchBucket"
            | "ContainerNotFound"
            | "ContainerBeingDeleted"
            | "InvalidBucketName"
            | "InvalidResourceName"
            // Azure's code for a missing container where the request has no credentials.
            | "ResourceNotFound" => BucketFault::NoBucket(why),
            "AuthorizationHeaderMalformed" | "PermanentRedirect" | "TemporaryRedirect" => other_region(),
            // Azure's emulator uses this code for a wrong signature too; Azure itself uses it for a blocked network.
            "AuthorizationFailure" if refusal.is_azurite => BucketFault::BadCredentials(why),
            "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "InvalidSecurity"
            | "RequestTimeTooSkewed"
            | "TokenRefreshRequired"
            | "AuthenticationRequired"
            | "AuthenticationFailed"
            | "NoAuthenticationInformation"
            | "InvalidAuthenticationInfo"
            | "KeyBasedAuthenticationNotPermitted" => BucketFault::BadCredentials(why),
            "AccessDenied"
            | "AllAccessDisabled"
            | "AccountProblem"
            | "AuthorizationFailure"
            | "AuthorizationPermissionMismatch"
            | "AuthorizationProtocolMismatch"
            | "AuthorizationResourceTypeMismatch"
            | "AuthorizationServiceMismatch"
            | "AuthorizationSourceIPMismatch"
            | "PublicAccessNotPermitted"
            | "InsufficientAccountPermissions"
            | "AccountIsDisabled" => BucketFault::Denied(why),
            "InternalError"
            | "SlowDown"
            | "ServiceUnavailable"
            | "ServerBusy"
            | "RequestTimeout"
            | "OperationTimedOut"
            // A race between two writers of one object: a retry finds what the other one wrote.
            | "ConditionalRequestConflict"
            | "OperationAborted" => BucketFault::Unavailable(why),
            _ => BucketFault::Other(why),
        }
    }

    /// The fault behind a client that could not be made.
    pub(super) fn of_settings(error: &object_store::Error, provider: Provider) -> BucketFault {
        let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        // JSON of another type is quoted in this message, and may be a secret.
        let why = why.split("invalid type: ").next().unwrap_or_default();
        BucketFault::Settings(format!("{}; {}", clean(why.trim_end_matches(['.', ':', ' '])), credentials(provider)))
    }

    /// The credentials file describes workload identity federation.
    pub(super) fn federation() -> BucketFault {
        BucketFault::Settings(FEDERATION.to_owned())
    }

    /// The fault behind a token of the job's identity that was not exchanged for credentials.
    pub(super) fn no_identity(failure: &Failure) -> BucketFault {
        let why = why(failure);
        if connection(&failure.error).is_some() { BucketFault::Unreachable(why) } else { BucketFault::Identity(why) }
    }

    /// The fault where there are no credentials.
    pub(super) fn no_credentials(failure: &Failure) -> BucketFault {
        BucketFault::NoCredentials(why(failure))
    }
}

/// The kind of a connection's failure; `None` if the server answered.
fn connection(error: &object_store::Error) -> Option<HttpErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<HttpError>()).map(HttpError::kind)
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    let next = |error: &&'e (dyn Error + 'static)| -> Option<&'e (dyn Error + 'static)> { (*error).source() };
    std::iter::successors(Some(error), next)
}

fn innermost(error: &object_store::Error) -> String {
    clean(&causes(error).last().map(ToString::to_string).unwrap_or_default())
}

fn why(failure: &Failure) -> String {
    match &failure.refusal {
        Some(refusal) if connection(&failure.error).is_none() => refusal.describe(),
        _ => innermost(&failure.error),
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::BucketError;
    use super::super::refusal::refusal;
    use super::*;

    fn failure(status: u16, body: &str) -> Failure {
        let error = object_store::Error::Generic { store: "S3", source: "refused".into() };
        Failure { error, refusal: Some(refusal(status, body)) }
    }

    fn message(url: &str, status: u16, body: &str) -> String {
        BucketError::new("list", &url.parse().unwrap(), BucketFault::of(&failure(status, body), "eu-west-1"))
            .to_string()
    }

    #[test]
    fn each_refusal_of_azure_has_its_fix() {
        let message = |status, code: &str, text: &str| {
            let body = format!(
                "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{text}\n\
                 RequestId:c958dfca\nTime:2026-11-21T20:24:16.742Z</Message></Error>"
            );
            let message = message("az://perf-runs/x", status, &body);
            assert!(message.contains(&format!("{code}: {text}")) && !message.contains("RequestId"), "{message}");
            message
        };
        // Azure's documented messages; tests/bucket_access.rs checks those of its emulator.
        let unauthentic = "Server failed to authenticate the request.";
        let unauthorized = "This request is not authorized to perform this operation.";
        let no_keys = "Key based authentication is not permitted.";
        for (message, fix) in [
            (message(403, "AuthenticationFailed", unauthentic), "AZURE_STORAGE_ACCOUNT_KEY"),
            (message(403, "AuthorizationFailure", unauthorized), "the account's network"),
            (message(403, "AuthorizationPermissionMismatch", unauthorized), "Storage Blob Data Reader"),
            (message(403, "KeyBasedAuthenticationNotPermitted", no_keys), "AZURE_CLIENT_ID"),
            (message(404, "ContainerNotFound", "The specified container does not exist."), "container `perf-runs`"),
            (message(409, "ContainerBeingDeleted", "The container is being deleted."), "container `perf-runs`"),
            (message(503, "ServerBusy", "The server is busy."), "try again later"),
        ] {
            assert!(message.contains(fix), "{message}");
        }
    }

    #[test]
    fn each_refusal_of_s3_has_its_fix() {
        let message = |status, code: &str, more: &str| {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>m.</Message>{more}</Error>");
            message("s3://perf-runs/x", status, &body)
        };
        for (message, fix) in [
            (message(404, "NoSuchBucket", ""), "there is no bucket `perf-runs`"),
            (message(403, "AccessDenied", ""), "s3:ListBucket on arn:aws:s3:::perf-runs"),
            (message(403, "InvalidAccessKeyId", ""), "set AWS_ACCESS_KEY_ID"),
            (message(403, "SignatureDoesNotMatch", ""), "the credentials were rejected"),
            (message(403, "RequestTimeTooSkewed", ""), "clock"),
            (message(400, "AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>"), "AWS_REGION=eu-north-1"),
            (message(301, "PermanentRedirect", ""), "not in region eu-west-1"),
            (message(503, "SlowDown", ""), "try again later"),
        ] {
            assert!(message.starts_with("cannot list s3://perf-runs/x: "), "{message}");
            assert!(message.contains(fix) && !message.contains('<'), "{message}");
        }
    }

    #[test]
    fn a_refusal_without_a_code_is_classified_by_its_status() {
        let fault = |status| BucketFault::of(&failure(status, ""), "");
        assert!(matches!(fault(401), BucketFault::BadCredentials(_)));
        assert!(matches!(fault(403), BucketFault::Denied(_)));
        assert!(matches!(fault(404), BucketFault::NoBucket(_)));
        assert!(fault(500).is_transient() && fault(503).is_transient());
        assert!(matches!(fault(418), BucketFault::Other(_)));
    }

    #[test]
    fn one_of_several_removals_is_classified_like_a_request() {
        let removal = |code: &str| {
            let body = format!(
                "<DeleteResult><Error><Key>b/x</Key><Code>{code}</Code><Message>m.</Message></Error></DeleteResult>"
            );
            BucketFault::of(&failure(200, &body), "")
        };
        assert!(matches!(removal("AccessDenied"), BucketFault::Denied(_)));
        assert!(removal("SlowDown").is_transient());
        let azure = "--b\r\n\r\nHTTP/1.1 403 Not permitted.\r\n\r\n--b--\r\n";
        assert!(matches!(BucketFault::of(&failure(202, azure), ""), BucketFault::Denied(_)));
    }

    #[test]
    fn a_broken_connection_is_not_taken_for_the_refusal_before_it() {
        let broken = |kind| {
            let error = HttpError::new(kind, std::io::Error::other("cut off"));
            let error = object_store::Error::Generic { store: "S3", source: Box::new(error) };
            BucketFault::of(&Failure { error, refusal: Some(refusal(503, "")) }, "")
        };
        assert_eq!(broken(HttpErrorKind::Connect), BucketFault::Unreachable("cut off".into()));
        assert_eq!(broken(HttpErrorKind::Interrupted), BucketFault::Unavailable("cut off".into()));
    }

    #[test]
    fn a_rejected_token_is_explained_with_the_server_s_message() {
        let body = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS70021: No matching record.\\r\\n\
                    Trace ID: 17\",\"error_codes\":[70021]}";
        let fault = BucketFault::no_identity(&failure(401, body));
        assert_eq!(fault, BucketFault::Identity("invalid_client: AADSTS70021: No matching record.".into()));
    }
}
