package import Foundation
import LeakTrial

extension StressExchange {
    /// SARIF 2.1.0: one result for each leak, at its source line where that is known, with a fingerprint that stays when
    /// lines move.
    package static func sarif(_ report: StressReport, root: String, version: String) throws -> Data {
        let results = report.endpoints.filter { $0.verdict == .leak }.map { SARIF.Result($0, root: root) }
        let base = URL(filePath: root, directoryHint: .isDirectory).absoluteString
        let log = SARIF(runs: [
            SARIF.Run(
                tool: .init(driver: .init(version: version)), results: results,
                originalUriBaseIds: ["ROOT": .init(uri: base)])
        ])
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(log)
    }
}

/// The part of SARIF 2.1.0 (OASIS, 27 March 2020) that leaks need.
private struct SARIF: Encodable {
    var schema = "https://json.schemastore.org/sarif-2.1.0.json"
    var version = "2.1.0"
    var runs: [Run]

    enum CodingKeys: String, CodingKey {
        case version, runs
        case schema = "$schema"
    }

    struct Text: Encodable { var text: String }

    struct Run: Encodable {
        var tool: Tool
        var results: [Result]
        var originalUriBaseIds: [String: Base]
    }

    struct Base: Encodable { var uri: String }
    struct Tool: Encodable { var driver: Driver }

    struct Driver: Encodable {
        var name = "oakum stress"
        var version: String
        var rules = [Rule()]
    }

    struct Rule: Encodable {
        var id = "memory-leak"
        var name = "MemoryLeak"
        var shortDescription = Text(text: "Requests keep memory for ever")
        var fullDescription = Text(
            text: "Memory grows with the number of requests, in cycles of the same or of fresh keys, without a bound.")
        var defaultConfiguration = ["level": "error"]
    }

    struct Result: Encodable {
        var ruleId = "memory-leak"
        var level = "error"
        var message: Text
        var locations: [Location]
        var partialFingerprints: [String: String]

        init(_ endpoint: EndpointReport, root: String) {
            var text = "\(endpoint.name): \(StressText.headline(endpoint))."
            for site in endpoint.sites.prefix(3) {
                text += " \(StressText.bytes(site.bytesPerOperation)) a request at \(site.site)"
                if let type = site.type { text += ", type \(type)" }
                text += site.chain.isEmpty ? "." : ", held by \(site.chain.joined(separator: " → "))."
            }
            message = Text(text: text)
            let site = endpoint.sites.first
            partialFingerprints = ["oakumSite/v1": site?.fingerprint ?? "endpoint:\(endpoint.name)"]
            locations = [Location(file: site?.file, line: site?.line, function: site?.function, root: root)]
        }
    }

    struct Location: Encodable {
        var physicalLocation: Physical?
        var logicalLocations: [Logical]?

        init(file: String?, line: Int?, function: String?, root: String) {
            if let file {
                let relative = StressExchange.relative(file, to: root)
                physicalLocation = Physical(
                    artifactLocation: .init(uri: relative, uriBaseId: relative.hasPrefix("/") ? nil : "ROOT"),
                    region: line.map { Region(startLine: $0) })
            }
            logicalLocations = function.map { [Logical(fullyQualifiedName: $0)] }
        }
    }

    struct Physical: Encodable {
        var artifactLocation: Artifact
        var region: Region?
    }

    struct Artifact: Encodable {
        var uri: String
        var uriBaseId: String?
    }

    struct Region: Encodable { var startLine: Int }

    struct Logical: Encodable {
        var fullyQualifiedName: String
        var kind = "function"
    }
}
