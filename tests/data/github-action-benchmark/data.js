window.BENCHMARK_DATA = {
  "lastUpdate": 3,
  "repoUrl": "https://example.com/r",
  "entries": {
    "Rust": [
      {
        "commit": {
          "author": {
            "name": "a"
          },
          "id": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "message": "m",
          "timestamp": "2026-01-01T00:00:00Z",
          "url": "https://example.com"
        },
        "date": 1,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 2100,
            "range": "± 50",
            "unit": "ns/iter"
          }
        ]
      },
      {
        "commit": {
          "author": {
            "name": "a"
          },
          "id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "message": "m",
          "timestamp": "2026-01-02T00:00:00Z",
          "url": "https://example.com"
        },
        "date": 2,
        "tool": "cargo",
        "benches": [
          {
            "name": "parse",
            "value": 3150,
            "range": "± 50",
            "unit": "ns/iter"
          }
        ]
      }
    ],
    "Scores": [
      {
        "commit": {
          "author": {
            "name": "a"
          },
          "id": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
          "message": "m",
          "timestamp": "2026-01-02T00:00:00Z",
          "url": "https://example.com"
        },
        "date": 2,
        "tool": "customBiggerIsBetter",
        "benches": [
          {
            "name": "score",
            "value": "31",
            "unit": "Percent"
          }
        ]
      }
    ]
  }
}
