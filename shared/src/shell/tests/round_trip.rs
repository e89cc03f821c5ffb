//! Lines that the product prints, and the documents' examples: reading them gives the same arguments.

use super::*;
use crate::shell::examples;

/// A value for every kind of parameter, also those that a line asks for.
fn sample(kind: Kind, help: &str) -> Value {
    let text = help.split("example ").nth(1).map_or("Ken \"Myer\" $x", |e| e.trim_end_matches('.'));
    match kind {
        Kind::Text | Kind::Clearable => json!(text),
        Kind::Switch => json!(true),
        Kind::Bool => json!(false),
        Kind::Int => json!(42),
        Kind::List => json!([text, "b"]),
        Kind::ListModifier => json!({ "Add": [text], "Remove": ["b", "c"] }),
        Kind::Choice(words) => json!(words[words.len() - 1]),
        Kind::Credential => json!({ "UserName": "litwareinc\\pilar", "Password": "secret" }),
        Kind::Secret => json!("secret"),
        Kind::Object => json!({
            "Identity": "PersistentChatServer:a.b.c", "PoolState": "FailedOver", "Count": 7, "Share": 1.5, "Less": -3,
            "On": true, "None": null, "List": ["a", "b"], "One": ["a"], "Empty": [], "Deep": [["a"], [null]],
            "odd key": { "a": "it's `\"$x\" \u{2013}" }, "Nothing": {},
        }),
    }
}

#[test]
fn every_cmdlets_line_gives_its_arguments_again() {
    for spec in cmdlets::ALL {
        // All at once, and each alone.
        let all: Map<String, Value> =
            spec.params.iter().map(|p| (p.name.to_owned(), sample(p.kind, p.help))).collect();
        let mut cases = vec![all.clone()];
        cases.extend(all.into_iter().map(|pair| Map::from_iter([pair])));
        for args in cases {
            let line = line_for(spec, &args);
            assert!(!line.contains("secret"), "{line}");
            let host = Fake { yes: true, ..Fake::default() };
            let r = run(&host, &line);
            assert!(r.ok, "{line}: {r:?}");
            assert_eq!(args_of(&host), Value::Object(args), "{line}");
            let calls = host.calls.borrow();
            assert!(calls.iter().all(|(n, _)| n == spec.name), "{line}");
        }
    }
}

#[test]
fn a_printed_line_is_the_same_after_reading_it() {
    for spec in cmdlets::ALL {
        let args: Map<String, Value> = spec
            .params
            .iter()
            .filter(|p| !p.secret())
            .map(|p| (p.name.to_owned(), sample(p.kind, p.help)))
            .collect();
        let line = line_for(spec, &args);
        let (found, back) = parse_args(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!((found.name, line_for(found, &back)), (spec.name, line));
    }
}

#[test]
fn every_example_runs_and_every_cmdlet_has_one() {
    for line in examples::all() {
        let host = Fake {
            answers: RefCell::new(vec![vec![json!({ "Identity": "a", "PoolState": "FailedOver" })]]),
            yes: true,
            ..Fake::default()
        };
        let r = run(&host, line);
        assert!(r.ok, "{line}: {r:?}");
    }
    for spec in cmdlets::ALL {
        assert!(examples::of(spec.name).next().is_some(), "{} has no example", spec.name);
    }
    for own in builtin::ALL {
        let answers = RefCell::new(vec![vec![json!({ "Identity": "a" })]]);
        let host = Fake { answers, yes: true, ..Fake::default() };
        let r = run(&host, &format!("$rooms = 1,2; {}", own.example));
        assert!(r.ok || own.name == "Write-Error", "{}: {r:?}", own.example);
        assert!(own.example.contains(own.name), "{}", own.example);
    }
}
