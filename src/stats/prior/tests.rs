use super::*;

fn suite(changes: &[f64]) -> Vec<Observation> {
    let observation = |change: &f64| Observation {
        ln_drift_squared: Some(-9.0),
        change: *change,
        sum_of_squares: 0.0,
        df: 0.0,
        variance_factor: 2.0,
    };
    changes.iter().map(observation).collect()
}

fn mean_variance(prior: &Prior, observation: &Observation) -> f64 {
    prior.variances(observation).map(|v| v.weight * v.variance.ln()).sum::<f64>().exp()
}

#[test]
fn weights_add_up_to_one() {
    let observations = suite(&[0.01, -0.02, 0.03, 0.0, 0.01, -0.01, 0.02, -0.03]);
    let prior = Prior::fit(&observations, ValueKind::Measured, false);
    let sum: f64 = prior.variances(&observations[0]).map(|v| v.weight).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
}

#[test]
fn a_noisy_suite_gets_more_variance_than_a_quiet_one() {
    let quiet = suite(&(0..30).map(|i| 0.002 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
    let noisy = suite(&(0..30).map(|i| 0.05 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
    let [quiet, noisy] = [quiet, noisy]
        .map(|observations| mean_variance(&Prior::fit(&observations, ValueKind::Measured, false), &observations[0]));
    assert!(noisy > 20.0 * quiet, "{noisy} {quiet}");
}

#[test]
fn unusually_large_noise_is_estimated() {
    // Runs that move by 40%, as next to a busy neighbour.
    let wild = suite(&(0..30).map(|i| 0.28 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
    let sd = mean_variance(&Prior::fit(&wild, ValueKind::Measured, false), &wild[0]).sqrt();
    assert!((0.2..0.6).contains(&sd), "{sd}");
}

#[test]
fn a_mass_regression_is_not_explained_as_noise() {
    // Half the suite 30% slower, the rest quiet.
    let changes: Vec<f64> =
        (0..30).map(|i| 0.002 * f64::from(i % 7 - 3) + if i % 2 == 0 { 0.262 } else { 0.0 }).collect();
    let observations = suite(&changes);
    let prior = Prior::fit(&observations, ValueKind::Measured, false);
    assert!(mean_variance(&prior, &observations[0]).sqrt() < 0.03);
}

#[test]
fn a_benchmarks_own_runs_outrank_the_suite() {
    let mut observations = suite(&(0..30).map(|i| 0.002 * f64::from(i % 7 - 3)).collect::<Vec<_>>());
    observations
        .iter_mut()
        .for_each(|observation| (observation.sum_of_squares, observation.df) = (9.0 * 0.003_f64.powi(2), 9.0));
    observations[3].sum_of_squares = 9.0 * 0.2_f64.powi(2);
    let prior = Prior::fit(&observations, ValueKind::Measured, false);
    assert!(mean_variance(&prior, &observations[3]).sqrt() > 0.1);
    assert!(mean_variance(&prior, &observations[4]).sqrt() < 0.02);
}
