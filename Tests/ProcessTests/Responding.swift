import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Testing

/// What a page looks like in a webhook's body and in a line of a file.
struct SeenPage: Decodable {
    struct Content: Decodable {
        var id: String
        var kind: PageKind
        var incident: Int64?
        var channel: String
        var title: String
        var lines: [String]
    }

    var timestamp: String
    var data: Content

    init(_ body: [UInt8]) throws {
        self = try JSONDecoder().decode(SeenPage.self, from: Data(body))
    }

    /// The pages of a `file` channel, in the order they were written.
    static func all(in path: String) throws -> [SeenPage] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .map { try SeenPage(Array($0.utf8)) }
    }
}

extension OakumUnderTest {
    var incidents: RemoteIncidentPlane { RemoteIncidentPlane(socketPath: state + "/oakum.sock") }

    /// Where other systems send alerts to: "http://127.0.0.1:40123".
    func intake() async throws -> String {
        let line = try await process.line(containing: "intake: http", within: .seconds(30))
        return String(line[try #require(line.range(of: "http")).lowerBound...])
    }

    /// Asks for an incident until it is as wanted.
    func incident(
        _ id: Int64, _ what: String, within limit: Duration = .seconds(30), where fits: (IncidentReport) -> Bool
    ) async throws -> IncidentReport {
        try await eventually(what, within: limit) {
            let report = try await incidents.incident(id)
            return fits(report) ? report : nil
        }
    }

    /// What it has said that sounds like trouble. Nothing goes wrong in a test that does not make it.
    var complaints: [Substring] {
        process.output().split(separator: "\n").filter { line in
            ["error", "fatal", "cannot", "crash"].contains { line.lowercased().contains($0) }
        }
    }
}

/// An alert as a script tells it; the answer's number of the incident.
@discardableResult
func tell(
    _ intake: String, _ summary: String, dedup: String, service: String? = nil, close: Bool = false
) async throws -> Int64 {
    let answer = try await told(intake, summary, dedup: dedup, service: service, close: close)
    guard answer.status == 200 else {
        throw TestKitError("\(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
    }
    let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
    return try #require((object?["AlertID"] as? NSNumber)?.int64Value)
}

/// The same, with whatever answer there is.
func told(
    _ intake: String, _ summary: String, dedup: String, service: String? = nil, close: Bool = false
) async throws -> OutboundResponse {
    var alert = ["summary": summary, "dedup": dedup]
    if let service { alert["service"] = service }
    if close { alert["action"] = "close" }
    return try await outside.send(
        OutboundRequest(
            method: "POST", target: .url(intake + "/intake/generic"),
            headers: [("Content-Type", "application/json"), ("Accept", "application/json")],
            body: Array(try JSONEncoder().encode(alert)), timeoutSeconds: 10, maxResponseBytes: 1 << 20))
}

private let outside = OutboundClient()
