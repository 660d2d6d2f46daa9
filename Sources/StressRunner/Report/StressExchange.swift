import Foundation
import LeakTrial
import LoadGenerator

/// A stress test for continuous integration: JUnit and workflow annotations.
package enum StressExchange {
    /// JUnit: one test case an endpoint; a leak is a failure, no answer an error.
    package static func junit(_ report: StressReport) -> String {
        let failures = report.endpoints.filter { $0.verdict == .leak }.count
        let errors = report.endpoints.filter { $0.verdict == .inconclusive || $0.verdict == .nothingMeasured }.count
        let seconds = report.endpoints.reduce(0) { $0 + $1.seconds }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            """
            <testsuite name="oakum stress" tests="\(report.endpoints.count)" failures="\(failures)" errors="\(errors)" \
            time="\(seconds.tidy)">
            """,
        ]
        for endpoint in report.endpoints {
            let head =
                #"  <testcase classname="oakum.stress" name="\#(XMLText.attribute(endpoint.name))" time="\#(endpoint.seconds.tidy)""#
            let message = XMLText.attribute(StressText.headline(endpoint))
            let detail = XMLText.attribute(details(endpoint).joined(separator: "\n"))
            switch endpoint.verdict {
            case .clean: lines.append("\(head)/>")
            case .leak:
                lines += ["\(head)>", #"    <failure message="\#(message)">\#(detail)</failure>"#, "  </testcase>"]
            case .inconclusive, .nothingMeasured:
                lines += ["\(head)>", #"    <error message="\#(message)">\#(detail)</error>"#, "  </testcase>"]
            }
        }
        return (lines + ["</testsuite>", ""]).joined(separator: "\n")
    }

    private static func details(_ endpoint: EndpointReport) -> [String] {
        endpoint.remarks
            + endpoint.sites.map { site in
                let chain = site.chain.isEmpty ? "" : ", held by \(site.chain.joined(separator: " → "))"
                return "\(StressText.bytes(site.bytesPerOperation)) a request at \(site.site)\(chain)"
            }
    }

    /// Lines that a GitHub workflow turns into annotations: leaks as errors at their source line, no answer as warnings.
    package static func annotations(_ report: StressReport, root: String) -> [String] {
        report.endpoints.compactMap { endpoint in
            guard endpoint.verdict != .clean else { return nil }
            let isLeak = endpoint.verdict == .leak
            var properties = ["title=\(property("oakum stress: \(endpoint.name)"))"]
            if let site = endpoint.sites.first, let file = site.file, let line = site.line {
                properties = ["file=\(property(relative(file, to: root)))", "line=\(line)"] + properties
            }
            let text = ([StressText.headline(endpoint)] + details(endpoint)).joined(separator: "\n")
            return "::\(isLeak ? "error" : "warning") \(properties.joined(separator: ","))::\(data(text))"
        }
    }

    private static func data(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("\r", with: "%0D").replacing("\n", with: "%0A")
    }

    private static func property(_ text: String) -> String {
        data(text).replacing(":", with: "%3A").replacing(",", with: "%2C")
    }

    /// A path as seen from `root`, where it lies below it.
    static func relative(_ file: String, to root: String) -> String {
        let prefix = root.hasSuffix("/") ? root : root + "/"
        return file.hasPrefix(prefix) ? String(file.dropFirst(prefix.count)) : file
    }
}
