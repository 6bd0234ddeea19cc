//! What the samples of a tool are called: a load test measures requests.

/// The word for the samples of a metric, in the plural.
pub fn sample_noun(tool: &str, benchmark: &str, metric: &str) -> &'static str {
    // The samples of a rate are intervals of the test.
    if metric.starts_with("throughput") {
        return "samples";
    }
    match tool {
        "k6" if benchmark.starts_with("http_req") || benchmark.starts_with("grpc_req") => "requests",
        "k6" if benchmark.starts_with("iteration") => "iterations",
        "k6" if benchmark.starts_with("check") => "checks",
        "pgbench" => "transactions",
        "ab" | "artillery" | "autocannon" | "bombardier" | "gatling" | "ghz" | "h2load" | "jmeter" | "locust"
        | "oha" | "siege" | "vegeta" | "wrk" => "requests",
        _ => "samples",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_tests_have_requests_and_databases_transactions() {
        assert_eq!(sample_noun("locust", "GET /", "time:p50"), "requests");
        assert_eq!(sample_noun("k6", "http_req_failed{gateway:new}", "error-rate"), "requests");
        assert_eq!(sample_noun("k6", "checks", "error-rate"), "checks");
        assert_eq!(sample_noun("k6", "own_rate", "share"), "samples");
        assert_eq!(sample_noun("pgbench", "script 0", "time"), "transactions");
        assert_eq!(sample_noun("pgbench", "total", "throughput"), "samples");
        assert_eq!(sample_noun("criterion", "a", "time"), "samples");
    }
}
