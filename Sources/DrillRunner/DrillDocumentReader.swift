import Foundation
import LoadGenerator
package import StrictYAML

/// Why a document was not accepted: "drill.md, line 12: unknown key …".
package struct DrillDocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    package var file: String
    package var problem: YAMLProblem

    package var description: String { "\(file), \(problem)" }
}

/// Reads drill documents: Markdown with one fenced block whose info string is `drill`, in YAML.
package enum DrillDocumentReader {
    /// Reads and checks a file.
    package static func load(_ path: String) throws(DrillDocumentError) -> DrillDocument {
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            let exists = FileManager.default.fileExists(atPath: path)
            throw DrillDocumentError(
                file: path,
                problem: YAMLProblem(
                    line: 0, message: exists ? "the file cannot be read as UTF-8 text" : "there is no such file",
                    hint: exists ? nil : "try examples/drills/registration-leak.md"))
        }
        do throws(YAMLProblem) {
            return try parse(text)
        } catch {
            throw DrillDocumentError(file: path, problem: error)
        }
    }

    /// Reads a text. Line numbers of problems are lines of the whole text.
    package static func parse(_ text: String) throws(YAMLProblem) -> DrillDocument {
        let root = try YAMLValue.parse(try block(of: text), name: "the drill block").mapping(
            [
                "scenario", "service", "fault", "volume", "deploy", "load", "arms", "wrong_move", "observed", "recycle",
                "heap",
                "expect",
                "then",
            ],
            as: "the drill block"
        )
        let scenario = try root.require("scenario", hint: "a short name, such as registration-leak")
        let name = try scenario.string()
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
            throw scenario.problem("`scenario` must be a–z, 0–9 and -, at most 64 characters, not `\(name)`")
        }
        let expectations = try expectations(root["expect"])
        let load = try DrillLoadReader.load(try root.require("load"))
        let arms = try arms(
            try root.require("arms", hint: "`arms: {control: 55s, protected: 75s, patched: 45s}`"), expectations)
        let document = DrillDocument(
            scenario: name,
            service: try DrillServiceReader.service(try root.require("service")),
            fault: try fault(root, expectations),
            volume: try root["volume"].map { value throws(YAMLProblem) in try DrillServiceReader.volume(value) },
            deployAtSeconds: try deploy(root["deploy"]),
            load: load, arms: arms, wrongMove: try wrongMove(root["wrong_move"]),
            observation: try observation(root, arms, load),
            recycle: try recycle(root["recycle"]),
            heap: try heap(root["heap"]),
            expectations: expectations,
            then: try moments(root["then"]))
        let plan = document.load.plan(targets: [LoadTarget(port: 1)], seconds: 1)
        if let problem = plan.problem {
            throw YAMLProblem(line: try root.require("load").line, message: "`load` cannot be run: \(problem)")
        }
        return document
    }

    /// The fenced block with every line before it blank, so that the YAML reader counts lines of the whole text.
    private static func block(of text: String) throws(YAMLProblem) -> String {
        var lines: [Substring] = []
        var found: [Substring]?
        var isInside = false
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let fence = line.trimming { $0 == " " || $0 == "\r" }
            if isInside, fence == "```" {
                found = lines
                isInside = false
            } else if !isInside, fence == "```drill" {
                guard found == nil else {
                    throw YAMLProblem(
                        line: number + 1, message: "a second ```drill block", hint: "a document describes one drill")
                }
                isInside = true
                lines = Array(repeating: "", count: number + 1)
            } else if isInside {
                lines.append(line)
            }
        }
        guard !isInside else {
            throw YAMLProblem(line: 0, message: "the ```drill block does not end", hint: "close it with ```")
        }
        guard let found else {
            throw YAMLProblem(
                line: 0, message: "there is no ```drill block",
                hint: "see examples/drills/registration-leak.md for what it holds")
        }
        return found.joined(separator: "\n")
    }

    /// Where nothing leaks, the protected arm is enough.
    private static func arms(
        _ value: YAMLValue, _ expectations: DrillExpectations
    ) throws(YAMLProblem) -> DrillArms {
        let mapping = try value.mapping(DrillArm.allCases.map(\.rawValue))
        func seconds(_ name: String) throws(YAMLProblem) -> Double? {
            let arm = expectations.leak ? try mapping.require(name) : mapping[name]
            return try arm?.seconds(in: 1...3_600)
        }
        return DrillArms(
            control: try seconds("control"), protected: try mapping.require("protected").seconds(in: 1...3_600),
            patched: try seconds("patched"), observed: try mapping["observed"]?.seconds(in: 1...3_600))
    }

    /// The arm and what it needs come together.
    private static func observation(
        _ root: YAMLMapping, _ arms: DrillArms, _ load: DrillLoad
    ) throws(YAMLProblem) -> DrillObservation? {
        guard let value = root["observed"] else {
            guard arms.observed == nil else {
                _ = try root.require("observed", hint: "what the observed arm needs: `fixed_at` and `business`")
                return nil
            }
            return nil
        }
        guard let seconds = arms.observed else {
            throw value.problem("`observed` is there, but no such arm", hint: "`arms: {…, observed: 150s}`")
        }
        let observation = try DrillObservationReader.observation(value, load)
        guard observation.fixedAtSeconds < seconds else {
            throw value.problem("`fixed_at` lies after the arm's end", hint: "leave half a minute after it")
        }
        return observation
    }

    private static func fault(
        _ root: YAMLMapping, _ expectations: DrillExpectations
    ) throws(YAMLProblem) -> DrillFault? {
        guard let value = root["fault"] else {
            if expectations.leak { _ = try root.require("fault") }
            return nil
        }
        return try DrillServiceReader.fault(value)
    }

    private static func deploy(_ value: YAMLValue?) throws(YAMLProblem) -> Double? {
        guard let value else { return nil }
        let mapping = try value.mapping(["at"])
        return try mapping.require("at", hint: "the time after the first request, such as 45s").seconds(in: 1...3_600)
    }

    private static func wrongMove(_ value: YAMLValue?) throws(YAMLProblem) -> WrongMove? {
        guard let value else { return nil }
        let mapping = try value.mapping(["restart_at"])
        let restart = try mapping.require("restart_at", hint: "the time after the first request, such as 25s")
        return WrongMove(restartAtSeconds: try restart.seconds(in: 1...3_600))
    }

    private static func recycle(_ value: YAMLValue?) throws(YAMLProblem) -> [(key: String, value: String)] {
        guard let value else { return [] }
        let keys = ["at_percent", "lead", "minimum_interval", "at_most_per_hour", "capacity_floor", "drain_deadline"]
        let mapping = try value.mapping(keys)
        var result: [(key: String, value: String)] = []
        for key in keys {
            guard let entry = mapping[key] else { continue }
            switch key {
            case "at_percent": _ = try entry.number(in: 10...100)
            case "at_most_per_hour": _ = try entry.integer(in: 1...3_600)
            case "capacity_floor": _ = try entry.integer(in: 0...256)
            default: _ = try entry.seconds()
            }
            result.append((key, try entry.string()))
        }
        return result
    }

    private static func heap(_ value: YAMLValue?) throws(YAMLProblem) -> [(key: String, value: String)] {
        guard let value else { return [] }
        let mapping = try value.mapping(["sampler", "sample_every", "readable"])
        var result: [(key: String, value: String)] = []
        for key in ["sampler", "readable"] {
            guard let entry = mapping[key] else { continue }
            result.append((key, "\(try entry.bool())"))
        }
        if let every = mapping["sample_every"] { result.append(("sample_every", "\(try every.bytes())B")) }
        return result
    }

    private static func expectations(_ value: YAMLValue?) throws(YAMLProblem) -> DrillExpectations {
        var result = DrillExpectations()
        guard let value else { return result }
        let mapping = try value.mapping([
            "requests_at_least", "detected_within", "recycles_at_least", "named", "first_cause",
            "restart_buys_within_percent", "leak", "first_cause_within",
        ])
        if let requests = mapping["requests_at_least"] {
            result.requestsAtLeast = UInt64(try requests.integer(in: 0...1_000_000_000))
        }
        result.detectedWithinSeconds = try mapping["detected_within"]?.seconds()
        if let named = mapping["named"] { result.named = try name(named) }
        result.leak = try mapping["leak"]?.bool() ?? true
        result.firstCauseWithinSeconds = try mapping["first_cause_within"]?.seconds()
        result.firstCause = try mapping["first_cause"]?.string()
        result.restartBuysWithinPercent = try mapping["restart_buys_within_percent"]?.number(in: 0...1_000)
        result.recyclesAtLeast = try mapping["recycles_at_least"]?.integer(in: 0...1_000) ?? 0
        return result
    }

    private static func name(_ value: YAMLValue) throws(YAMLProblem) -> DrillExpectations.Name {
        let mapping = try value.mapping(["within", "site", "type", "chain"])
        var result = DrillExpectations.Name()
        result.withinSeconds = try mapping["within"]?.seconds()
        result.site = try mapping["site"]?.string()
        result.type = try mapping["type"]?.string()
        for hop in try mapping["chain"]?.list() ?? [] { result.chain.append(try hop.string()) }
        return result
    }

    private static func moments(_ value: YAMLValue?) throws(YAMLProblem) -> [ThenMoment] {
        guard let value else { return [] }
        var result: [ThenMoment] = []
        for entry in try value.list() {
            let mapping = try entry.mapping(["what", "at", "now"], as: "a moment of `then`")
            var now: NowMoment?
            if let name = mapping["now"] {
                now = NowMoment(rawValue: try name.string())
                guard now != nil else {
                    throw name.problem(
                        "`now` must name a moment that a drill measures, not `\(try name.string())`",
                        hint: NowMoment.allCases.map(\.rawValue).joined(separator: ", "))
                }
            }
            result.append(
                ThenMoment(
                    what: try mapping.require("what").string(),
                    atSeconds: try mapping.require("at", hint: "the time after the first sign, such as 15min")
                        .seconds(),
                    now: now))
        }
        guard result.count <= 100 else { throw value.problem("`then` has more than 100 moments") }
        return result
    }
}

/// a–z, 0–9 and -.
func isNameByte(_ byte: UInt8) -> Bool {
    (97...122).contains(byte) || (48...57).contains(byte) || byte == 45
}

extension Substring {
    fileprivate func trimming(_ isTrimmed: (Character) -> Bool) -> Substring {
        var rest = self
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return rest
    }
}
