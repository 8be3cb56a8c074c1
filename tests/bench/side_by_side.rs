//! `benches/side_by_side/run.py` still runs, and makes its page. What the numbers are, is no test.

use std::process::Command;

#[test]
fn both_servers_are_measured_and_stand_in_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let numbers = folder.path().join("numbers.json");
    let run = |args: &[&str]| {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/side_by_side/run.py");
        let done = Command::new("python3").arg(script).args(args).output().expect("python3");
        let (out, err) = (&done.stdout, String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{err}");
        String::from_utf8_lossy(out).into_owned()
    };
    let relayhouse = env!("CARGO_BIN_EXE_relayhouse");
    let numbers = numbers.to_str().expect("a path");
    let measured = ["--only", "relay:heavy", "--rounds", "1", "--seconds", "1"];
    let page = run(&[&measured[..], &["--relayhouse", relayhouse, "--json", numbers]].concat());
    for server in ["coturn", "relayhouse"] {
        for way in ["up", "down"] {
            let row = format!("| heavy | {way} | {server} | ");
            let rows: Vec<_> = page.lines().filter_map(|line| line.strip_prefix(&row)).collect();
            assert_eq!(rows.len(), 2, "saturated and paced: {page}");
            for row in rows {
                let cost = row.split(" | ").next().and_then(|cost| cost.parse::<f64>().ok());
                assert!(cost.is_some_and(|cost| cost > 0.0), "{row}\n{page}");
            }
        }
    }
    let again = run(&["--no-write", "--page-from", numbers]);
    assert_eq!(again, page, "the page from what was kept");
}
