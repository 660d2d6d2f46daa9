import Foundation
package import OakumAPI
package import OakumModel

/// What a postmortem is written from, as a running `oakum` has it. In JSON it is an incident's report (what
/// `oakum incidents show --json` prints) with further keys, all of which may be missing.
package struct PostmortemSource: Hashable, Sendable, Codable {
    package var report: IncidentReport
    /// Memory over the time of the incident.
    package var history: History?
    /// The journal over that time; nil: it was not read.
    package var events: [Event]?
    package var onCall: OnCallReport?
    /// Observe-only: it may replace nothing.
    package var observeOnly: Bool?
    /// The workers carry the sampler.
    package var samplesHeap: Bool?
    /// The build that ran.
    package var release: String?

    package init(
        report: IncidentReport, history: History? = nil, events: [Event]? = nil, onCall: OnCallReport? = nil,
        observeOnly: Bool? = nil, samplesHeap: Bool? = nil, release: String? = nil
    ) {
        self.report = report
        self.history = history
        self.events = events
        self.onCall = onCall
        self.observeOnly = observeOnly
        self.samplesHeap = samplesHeap
        self.release = release
    }

    private enum CodingKeys: String, CodingKey {
        case history, events, release
        case onCall = "on_call"
        case observeOnly = "observe_only"
        case samplesHeap = "samples_heap"
    }

    package init(from decoder: any Decoder) throws {
        report = try IncidentReport(from: decoder)
        let container = try decoder.container(keyedBy: CodingKeys.self)
        history = try container.decodeIfPresent(History.self, forKey: .history)
        events = try container.decodeIfPresent([Event].self, forKey: .events)
        onCall = try container.decodeIfPresent(OnCallReport.self, forKey: .onCall)
        observeOnly = try container.decodeIfPresent(Bool.self, forKey: .observeOnly)
        samplesHeap = try container.decodeIfPresent(Bool.self, forKey: .samplesHeap)
        release = try container.decodeIfPresent(String.self, forKey: .release)
    }

    package func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(history, forKey: .history)
        try container.encodeIfPresent(events, forKey: .events)
        try container.encodeIfPresent(onCall, forKey: .onCall)
        try container.encodeIfPresent(observeOnly, forKey: .observeOnly)
        try container.encodeIfPresent(samplesHeap, forKey: .samplesHeap)
        try container.encodeIfPresent(release, forKey: .release)
    }
}

extension PostmortemSource {
    /// A larger one is none: a report holds 2,000 lines of timeline at most.
    private static let limitBytes = 64 << 20

    /// Reads the JSON of an incident's report from a file.
    package init(file: String) throws(PostmortemProblem) {
        let bytes: [UInt8]
        do throws(SmallFile.Problem) {
            bytes = try SmallFile.read(file, limit: Self.limitBytes).bytes
        } catch {
            switch error {
            case .missing:
                throw PostmortemProblem(
                    "`\(file)` is neither the number of an incident nor a file: `oakum incidents list` shows them")
            case .notAFile: throw PostmortemProblem("\(file) is no plain file")
            case .tooLarge: throw PostmortemProblem("\(file) is larger than 64 MiB: no report of an incident is")
            case .unreadable(let words): throw PostmortemProblem("\(file) cannot be read: \(words)")
            }
        }
        do {
            self = try JSONDecoder().decode(PostmortemSource.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw PostmortemProblem(
                "\(file) is no report of an incident (`oakum incidents show --json`): \(error.place)")
        } catch {
            throw PostmortemProblem("\(file) is no report of an incident (`oakum incidents show --json`): \(error)")
        }
    }
}

extension DecodingError {
    /// Where it failed, and why, in a line.
    fileprivate var place: String {
        let context: Context
        switch self {
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .keyNotFound(_, let found),
            .dataCorrupted(let found):
            context = found
        @unknown default: return "it cannot be read"
        }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? context.debugDescription : "\(path): \(context.debugDescription)"
    }
}
