import Foundation
import FoundationXML
import LeakTrial
@testable import StressRunner
import Testing

/// What a stress test says to people and to machines.
@Suite struct StressExchangeTests {
    private static func endpoint(_ name: String, _ verdict: TrialVerdict, leaks: Bool = false) -> EndpointReport {
        var result = EndpointReport(name: name, gone: "why <it> ended & \"how\"")
        result.verdict = verdict
        if leaks {
            result.bytesPerRequest = .init(estimate: 1_024, low: 1_000, high: 1_100)
            result.kind = .perRequest
            result.sites = [
                NamedSite(
                    site: "Store.keep(_:) (Store.swift:12)", function: "Store.keep(_:)",
                    file: "/src/app/Sources/Store.swift", line: 12, type: "[UInt8]",
                    chain: ["static Store.shared", "Store.entries", "[UInt8]"], bytesPerOperation: 1_020,
                    fingerprint: "abc123")
            ]
        }
        return result
    }

    private static let report = StressReport(
        endpoints: [
            endpoint("GET /a", .clean), endpoint("POST /b, c:d", .leak, leaks: true), endpoint("GET /e", .inconclusive),
        ], target: ["server"], settings: StressSettings())

    @Test func `a leak outweighs everything, then nothing measured, then no answer`() {
        func verdict(_ verdicts: TrialVerdict...) -> StressReport {
            StressReport(
                endpoints: verdicts.map { Self.endpoint("x", $0) }, target: [], settings: StressSettings())
        }
        #expect(verdict(.clean, .clean).exitCode == 0)
        #expect(verdict(.clean, .inconclusive, .leak, .nothingMeasured).exitCode == 2)
        #expect(verdict(.clean, .inconclusive).exitCode == 3)
        #expect(verdict(.inconclusive, .nothingMeasured, .clean).exitCode == 4)
    }

    @Test func `the JSON has the fields that are promised`() throws {
        let data = try JSONEncoder().encode(Self.report)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(object["verdict"] as? String == "leak")
        let leak = try #require((object["endpoints"] as? [[String: Any]])?[1])
        #expect(leak["kind"] as? String == "per_request")
        #expect((leak["bytes_per_request"] as? [String: Double])?["estimate"] == 1_024)
        #expect(try JSONDecoder().decode(StressReport.self, from: data).endpoints.count == 3)
    }

    @Test func `JUnit is well-formed and counts leaks as failures`() throws {
        let xml = StressExchange.junit(Self.report)
        let parser = XMLParser(data: Data(xml.utf8))
        let reader = XMLReader()
        parser.delegate = reader
        #expect(parser.parse(), "\(xml)")
        #expect(reader.attributes["testsuite"]?["failures"] == "1")
        #expect(reader.attributes["testsuite"]?["errors"] == "1")
        #expect(reader.elements.filter { $0 == "testcase" }.count == 3)
    }

    @Test func `annotations point to the line, and nothing breaks out of them`() {
        let lines = StressExchange.annotations(Self.report, root: "/src/app")
        #expect(lines.count == 2)
        #expect(lines[0].hasPrefix("::error file=Sources/Store.swift,line=12,title=oakum stress%3A POST /b%2C c%3Ad::"))
        #expect(lines[1].hasPrefix("::warning title="))
        #expect(lines.allSatisfy { !$0.contains("\n") })
    }

    @Test func `SARIF has one result a leak, with its place and a fingerprint`() throws {
        let data = try StressExchange.sarif(Self.report, root: "/src/app", version: "1")
        let log = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(log["version"] as? String == "2.1.0")
        let run = try #require((log["runs"] as? [[String: Any]])?.first)
        let results = try #require(run["results"] as? [[String: Any]])
        #expect(results.count == 1)
        #expect(results[0]["partialFingerprints"] as? [String: String] == ["oakumSite/v1": "abc123"])
        let location = try #require((results[0]["locations"] as? [[String: Any]])?.first)
        let physical = try #require(location["physicalLocation"] as? [String: Any])
        #expect(
            (physical["artifactLocation"] as? [String: String]) == ["uri": "Sources/Store.swift", "uriBaseId": "ROOT"])
        #expect((physical["region"] as? [String: Int]) == ["startLine": 12])
    }

    @Test func `the page is well-formed, needs nothing else, and escapes what programs say`() {
        let page = StressPage.render(Self.report)
        let parser = XMLParser(data: Data(page.dropFirst("<!DOCTYPE html>".count).utf8))
        #expect(parser.parse(), "\(page)")
        #expect(!page.contains("http://") && !page.contains("https://") && !page.contains("<script"))
        #expect(page.contains("why &lt;it&gt; ended"))
        #expect(page.contains("Store.keep(_:) (Store.swift:12)"))
    }

    @Test func `the text names the leak, its site and its holders`() {
        let text = StressText.render(Self.report)
        #expect(text.contains("✘ POST /b, c:d: LEAK of 1.0 KiB a request"))
        #expect(text.contains("Store.keep(_:) (Store.swift:12)"))
        #expect(text.contains("held by static Store.shared → Store.entries → [UInt8]"))
        #expect(text.hasSuffix("LEAK: 1 of 3 endpoints"))
    }
}

private final class XMLReader: NSObject, XMLParserDelegate {
    var elements: [String] = []
    var attributes: [String: [String: String]] = [:]

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        elements.append(name)
        self.attributes[name] = attributes
    }
}
