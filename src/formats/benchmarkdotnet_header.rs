//! The block that BenchmarkDotNet writes above its Markdown tables: version, operating system, processor and runtime.

use super::machine;
use crate::model::Environment;

/// Lines of the block after the first one that are read. It ends at a blank line.
const MAX_LINES: usize = 12;

/// Whether a line begins the block: `BenchmarkDotNet v0.14.0, Ubuntu 22.04`, before 0.13.8 `BenchmarkDotNet=v0.12.1, OS=Windows 10`.
pub(super) fn begins(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("BenchmarkDotNet");
    rest.is_some_and(|rest| [" v", "=v", "-Dev=v"].iter().any(|mark| rest.starts_with(mark)))
}

/// Sets the facts of the first block of a text. Returns the name of the job, if the block states a single one.
pub(super) fn read<'t>(environment: &mut Environment, text: &'t str) -> Option<&'t str> {
    let mut jobs = Vec::new();
    let mut lines = text.lines().skip_while(|line| !begins(line)).map(str::trim);
    if let Some((_, system)) = lines.next().and_then(|line| line.split_once(", ")) {
        machine::set_os(environment, system.trim_start_matches("OS="));
    }
    for line in lines.take_while(|line| !line.is_empty() && !line.starts_with(['|', '`'])).take(MAX_LINES) {
        if let Some(system) = line.strip_prefix("OS=") {
            machine::set_os(environment, system);
        } else if let Some((runtime, arch)) = line.strip_prefix("[Host]").and_then(|line| line.rsplit_once(", ")) {
            environment.set("runtime", runtime.trim_start_matches([' ', ':']));
            machine::set_arch(environment, arch.split(' ').next().unwrap_or_default());
        } else if let Some((runtime, arch)) = clr(line) {
            environment.set("runtime", runtime);
            machine::set_arch(environment, arch);
        } else if let Some((name, cores)) = processor(line) {
            environment.set(Environment::CPU, name);
            environment.set(Environment::CORES, cores);
        } else if let Some((job, _)) = line.split_once(" : ") {
            jobs.push(job.trim());
        }
    }
    (jobs.len() == 1).then(|| jobs.pop()).flatten()
}

/// Name and logical cores in `AMD EPYC 7763, 1 CPU, 4 logical and 2 physical cores`, before 0.10.10 `Processor=…, ProcessorCount=8`.
fn processor(line: &str) -> Option<(&str, &str)> {
    if let Some((name, cores)) = line.split_once(", ProcessorCount=") {
        return Some((name.trim_start_matches("Processor=").trim_matches('?'), cores));
    }
    let (before, _) = line.split_once(" logical ")?;
    let (before, cores) = before.rsplit_once(", ")?;
    let name = match before.rsplit_once(", ") {
        Some((name, count)) if count.ends_with(" CPU") || count.ends_with(" CPUs") => name,
        _ => before,
    };
    cores.parse::<u32>().ok().map(|_| (name, cores))
}

/// Runtime and architecture in `HostCLR=MS.NET 4.0.30319.42000, Arch=64-bit RELEASE` of 0.9.
fn clr(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("HostCLR=").or(line.strip_prefix("CLR="))?;
    let (runtime, arch) = rest.split_once(", Arch=")?;
    Some((runtime, arch.split(' ').next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> [Option<String>; 5] {
        let mut environment = Environment::default();
        let job = read(&mut environment, text);
        assert_eq!(job, text.contains("Job-YFEFPZ").then_some("Job-YFEFPZ"));
        [Environment::CPU, Environment::CORES, Environment::OS, Environment::ARCH, "runtime"]
            .map(|key| environment.get(key).map(str::to_owned))
    }

    #[test]
    fn headers_of_all_versions_are_read() {
        let new = "```\n\nBenchmarkDotNet v0.15.8, Linux Ubuntu 24.04.4 LTS (Noble Numbat)\n\
            AMD EPYC 9V74 2.60GHz, 1 CPU, 4 logical and 2 physical cores\n.NET SDK 10.0.201\n\
            \x20 [Host]     : .NET 10.0.5 (10.0.5, 10.0.526.15411), X64 RyuJIT x86-64-v3\n\
            \x20 Job-YFEFPZ : .NET 9.0.1 (9.0.1, 9.0.526.15411), X64 RyuJIT x86-64-v3\n\n```\n";
        let expected = ["AMD EPYC 9V74 2.60GHz", "4", "linux", "x86_64", ".NET 10.0.5 (10.0.5, 10.0.526.15411)"];
        assert_eq!(facts(new), expected.map(|fact| Some(fact.to_owned())));
        let middle = "``` ini\n\nBenchmarkDotNet=v0.11.3, OS=ubuntu 16.04\n\
            Intel Xeon CPU 2.00GHz, 1 CPU, 2 logical cores and 1 physical core\n\
            \x20 [Host] : .NET Core 3.0.0 (CoreCLR 4.6.27116.05, CoreFX 4.7.18.56608), 64bit RyuJIT\n";
        let runtime = ".NET Core 3.0.0 (CoreCLR 4.6.27116.05, CoreFX 4.7.18.56608)";
        let expected = ["Intel Xeon CPU 2.00GHz", "2", "linux", "64bit", runtime];
        assert_eq!(facts(middle), expected.map(|fact| Some(fact.to_owned())));
        let old = "BenchmarkDotNet=v0.9.8.0\nOS=Microsoft Windows NT 6.2.9200.0\n\
            Processor=Intel(R) Core(TM) i7-4712HQ CPU 2.30GHz, ProcessorCount=8\n\
            HostCLR=MS.NET 4.0.30319.42000, Arch=64-bit RELEASE [RyuJIT]\n";
        let expected = ["Intel(R) Core(TM) i7-4712HQ CPU 2.30GHz", "8", "windows", "64-bit", "MS.NET 4.0.30319.42000"];
        assert_eq!(facts(old), expected.map(|fact| Some(fact.to_owned())));
    }

    #[test]
    fn other_text_states_nothing() {
        let text =
            "We use BenchmarkDotNet v0.14, OS=any\n// BenchmarkDotNet v0.13.12\n\nA, 1 CPU, 4 logical and 2 physical\n";
        assert_eq!(facts(text), [const { None }; 5]);
        let unknown =
            "BenchmarkDotNet-Dev=v0.9.6.0+\nOS=Windows\nProcessor=?, ProcessorCount=8\n\nA, 1 CPU, 4 logical and 2\n";
        assert_eq!(facts(unknown), [None, Some("8".into()), Some("windows".into()), None, None]);
    }
}
