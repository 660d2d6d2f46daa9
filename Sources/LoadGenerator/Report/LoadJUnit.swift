/// The outcome of a load run as JUnit XML: a test case for the run as evidence, one for each threshold. A crossed
/// threshold is a failure; what cannot be told is an error, since a gate never passes on silence.
package enum LoadJUnit {
    package static func render(_ outcome: LoadOutcome) -> String {
        let judgement = outcome.judgement
        let suite = XMLText.attribute("load \(outcome.name)")
        let crossed = judgement.thresholds.count { $0.state == .crossed }
        let undecided = judgement.thresholds.count { $0.state == .undecided }
        let isEvidence = judgement.reasons.isEmpty && judgement.verdict != .nothingMeasured
        let errors = undecided + (isEvidence ? 0 : 1)
        let counts = "tests=\"\(judgement.thresholds.count + 1)\" failures=\"\(crossed)\" errors=\"\(errors)\""
        let time = seconds(outcome.report.seconds)
        var lines = [
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites \(counts) time=\"\(time)\">",
            "  <testsuite name=\"\(suite)\" \(counts) skipped=\"0\" time=\"\(time)\">",
        ]
        lines += testCase(
            suite, "the run is evidence", time: time,
            problem: isEvidence
                ? nil
                : (
                    "error", judgement.reasons.first ?? "there was not one answer",
                    judgement.reasons.joined(separator: "\n")
                ))
        for result in judgement.thresholds {
            let measured = result.measured ?? "not measured"
            let problem: (String, String, String)? =
                switch result.state {
                case .held: nil
                case .crossed: ("failure", "\(result.threshold): measured \(measured)", result.why ?? measured)
                case .undecided: ("error", "\(result.threshold) cannot be told", result.why ?? measured)
                }
            lines += testCase(suite, result.threshold, time: "0", problem: problem)
        }
        lines += [
            "    <system-out>\(XMLText.content(LoadText.render(outcome)))</system-out>", "  </testsuite>",
            "</testsuites>",
        ]
        return lines.joined(separator: "\n") + "\n"
    }

    private static func testCase(
        _ suite: String, _ name: String, time: String, problem: (kind: String, message: String, text: String)?
    ) -> [String] {
        let head = "    <testcase classname=\"\(suite)\" name=\"\(XMLText.attribute(name))\" time=\"\(time)\""
        guard let problem else { return [head + "/>"] }
        let message = XMLText.attribute(problem.message)
        return [
            head + ">",
            "      <\(problem.kind) message=\"\(message)\">\(XMLText.content(problem.text))</\(problem.kind)>",
            "    </testcase>",
        ]
    }

    /// Plain digits: groups of thousands are for people.
    private static func seconds(_ value: Double) -> String {
        Figures.number(value, places: 3).split(separator: ",").joined()
    }
}

/// Text made safe for XML and HTML.
package enum XMLText {
    package static func attribute(_ text: String) -> String { escaped(text, quotes: true) }
    package static func content(_ text: String) -> String { escaped(text, quotes: false) }

    /// Control characters, which XML 1.0 cannot hold at all, become a question mark.
    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"" where quotes: result += "&quot;"
            case "\n" where quotes: result += " "
            case "\n", "\t": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 32 || scalar.value == 0x7f || scalar.value == 0xfffe || scalar.value == 0xffff:
                result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
