//! A context to try a template with before there is a report.

use super::context::*;

impl Context {
    /// A context in which no list is empty, so that filling a template with it runs its loops.
    pub(super) fn with_one_of_each() -> Context {
        fn one<T: Default>() -> Vec<T> {
            vec![T::default()]
        }
        let text = || Some(String::new());
        Context {
            base: SideText { commit: text(), branch: text(), behind: text(), ..SideText::default() },
            head: SideText { commit: text(), ..SideText::default() },
            overall: Some(ChangeText::default()),
            best: Some(Row::default()),
            worst: Some(Row::default()),
            rows: one(),
            listed: one(),
            regressions: one(),
            explanations: vec![ExplanationText { functions: one(), notes: one(), ..ExplanationText::default() }],
            improvements: one(),
            accept_command: Some(String::new()),
            reproduce: Some(String::new()),
            chart: Some(Chart::default()),
            headline: one(),
            others: one(),
            budgets: one(),
            goals: one(),
            change: Some(ChangeFacts::default()),
            change_unknown: text(),
            bottlenecks: one(),
            concerns: one(),
            cache: one(),
            spread: one(),
            load: one(),
            memory: one(),
            profile: one(),
            quality: one(),
            alerts: one(),
            environment: one(),
            evidence: one(),
            tests: Some(TestsText::default()),
            diagnostics: one(),
            left_out: one(),
            ..Context::default()
        }
    }
}
