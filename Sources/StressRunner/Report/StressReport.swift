package import LeakTrial

/// What a stress test found: what `oakum stress --json` prints. Fields may be added, never renamed.
package struct StressReport: Sendable, Codable {
    package var verdict: TrialVerdict
    package var endpoints: [EndpointReport]
    /// The smallest leak that every endpoint's trial would have seen, bytes an operation.
    package var smallestDetectable: Double?
    package var command: [String]
    /// Growth up to so many bytes an operation counts as none.
    package var floorBytes: Double

    package init(endpoints: [EndpointReport], target: [String], settings: StressSettings) {
        self.endpoints = endpoints
        command = target
        floorBytes = settings.floorBytes
        let verdicts = Set(endpoints.map(\.verdict))
        verdict = [.leak, .nothingMeasured, .inconclusive].first { verdicts.contains($0) } ?? .clean
        // One of which it cannot be told leaves nothing to say for all.
        let smallest = endpoints.compactMap(\.smallestDetectable)
        smallestDetectable = smallest.count == endpoints.count ? smallest.max() : nil
    }

    /// 0 clean, 2 leak, 3 inconclusive, 4 nothing measured.
    package var exitCode: Int32 {
        switch verdict {
        case .clean: 0
        case .leak: 2
        case .inconclusive: 3
        case .nothingMeasured: 4
        }
    }

    private enum CodingKeys: String, CodingKey {
        case verdict, endpoints, command
        case smallestDetectable = "smallest_detectable_bytes_per_request"
        case floorBytes = "floor_bytes"
    }
}

/// One endpoint's part.
package struct EndpointReport: Sendable, Codable {
    package struct Interval: Hashable, Sendable, Codable {
        package var estimate: Double
        package var low: Double
        package var high: Double
    }

    package struct Reading: Hashable, Sendable, Codable {
        package var requests: Double
        package var bytes: Double
    }

    package var name: String
    package var verdict: TrialVerdict
    package var bytesPerRequest: Interval?
    package var kind: GrowthKind?
    package var ceilingBytes: Double?
    package var seconds: Double
    /// Of the largest site.
    package var site: String?
    package var type: String?
    package var chain: [String]
    /// All that were named, the largest growth first.
    package var sites: [NamedSite]
    package var requests: Double
    package var requestsPerCycle: Int
    package var memory: MemorySource
    package var smallestDetectable: Double?
    /// Why the verdict is what it is, and what is missing; plain sentences.
    package var remarks: [String]
    package var sameKeys: [Reading]
    package var freshKeys: [Reading]

    private enum CodingKeys: String, CodingKey {
        case name, verdict, kind, seconds, site, type, chain, sites, requests, memory, remarks
        case bytesPerRequest = "bytes_per_request"
        case ceilingBytes = "ceiling_bytes"
        case requestsPerCycle = "requests_per_cycle"
        case smallestDetectable = "smallest_detectable_bytes_per_request"
        case sameKeys = "same_keys"
        case freshKeys = "fresh_keys"
    }
}

extension EndpointReport {
    init(name: String, _ outcome: EndpointOutcome, _ naming: LeakNaming.Result, hasKeys: Bool) {
        let finding = outcome.finding
        self.name = name
        verdict = finding.verdict
        bytesPerRequest = finding.bytesPerOperation.map {
            Interval(estimate: $0.estimate.tidy, low: $0.low.tidy, high: $0.high.tidy)
        }
        kind = finding.kind
        ceilingBytes = finding.ceilingBytes?.rounded()
        seconds = outcome.seconds.tidy
        sites = naming.sites
        site = naming.sites.first?.site
        type = naming.sites.first?.type
        chain = naming.sites.first?.chain ?? []
        requests = outcome.operations
        requestsPerCycle = outcome.perCycle
        memory = outcome.source
        smallestDetectable = finding.smallestDetectable?.tidy
        remarks = Self.remarks(outcome, hasKeys: hasKeys) + naming.remarks
        sameKeys = outcome.sameKeys.readings
        freshKeys = outcome.freshKeys?.readings ?? []
    }

    /// The program ended while it was asked.
    init(name: String, gone why: String) {
        self.name = name
        (verdict, chain, sites, remarks, sameKeys, freshKeys) = (.inconclusive, [], [], [why], [], [])
        (seconds, requests, requestsPerCycle, memory) = (0, 0, 0, .allocator)
    }

    private static func remarks(_ outcome: EndpointOutcome, hasKeys: Bool) -> [String] {
        var result = outcome.audit.doubts
        let finding = outcome.finding
        switch (finding.verdict, finding.kind) {
        case (.nothingMeasured, _):
            result = [
                "no request was answered as expected" + (outcome.audit.notes.first.map { ": \($0)" } ?? ""),
                "where such an answer is right, say so: --expect STATUS",
            ]
        case (.leak, .perRequest): result.append("grows with the same keys again and again: every request keeps memory")
        case (.leak, .unboundedByKey):
            let keys = Int(outcome.freshKeys?.span ?? 0)
            result.append("grows with fresh keys alone, and was straight still after \(keys) of them")
        case (.clean, .boundedCache): result.append("fresh keys filled something up to a bound, where it stopped")
        case (.inconclusive, _):
            if result.isEmpty, let doubt = finding.doubt { result.append(doubt.sentence) }
        case (.clean, _):
            if !hasKeys { result.append("nothing in it varies: a cache keyed by the request would not have shown") }
        default: break
        }
        if outcome.source == .resident {
            result.append(
                "judged by resident memory, which is coarse: the program does not take its memory from malloc")
        }
        return result
    }
}

extension CycleSeries {
    var readings: [EndpointReport.Reading] {
        zip(operations, bytes).map { EndpointReport.Reading(requests: $0, bytes: $1) }
    }
}

extension Double {
    /// Two places are more than any of these figures are good for.
    var tidy: Double { (self * 100).rounded() / 100 }
}

extension Doubt {
    /// What was in the way of an answer, and what helps.
    var sentence: String {
        switch self {
        case .few: "too few cycles fitted into the time: give more (--seconds)"
        case .noise: "the memory goes up and down by itself more than a leak would show: give more time (--seconds)"
        case .step: "it grew in single steps: give more time (--seconds) to see whether they go on"
        case .flattening: "it grows, but slower and slower, as a warm-up does: give more time (--seconds)"
        case .returns: "what grew was given back at times: give more time (--seconds)"
        case .pool:
            "it grows, but so little yet that the runtime's own free lists may be what fills: give more time (--seconds)"
        case .filling: "it grows with fresh keys, which may be a cache not yet full: give more time (--seconds)"
        }
    }
}
