/// What the leak of an arm was called, and when. Nothing is known of what could not be named.
package struct LeakNaming: Hashable, Sendable, Codable {
    /// After the arm's first request.
    package var namedSeconds: Double?
    /// "function (file:line)".
    package var site: String?
    package var type: String?
    /// From the root to the leaked type.
    package var chain: [String]?

    private enum CodingKeys: String, CodingKey {
        case site, type, chain
        case namedSeconds = "named_s"
    }

    init(namedSeconds: Double? = nil, site: String? = nil, type: String? = nil, chain: [String]? = nil) {
        self.namedSeconds = namedSeconds
        self.site = site
        self.type = type
        self.chain = chain
    }

    /// nil when a report says nothing of names.
    init?(ifPresentIn decoder: any Decoder) throws {
        guard try decoder.container(keyedBy: CodingKeys.self).contains(.namedSeconds) else { return nil }
        try self.init(from: decoder)
    }

    /// What is not known is null, not absent.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(namedSeconds, forKey: .namedSeconds)
        try container.encode(site, forKey: .site)
        try container.encode(type, forKey: .type)
        try container.encode(chain, forKey: .chain)
    }

    /// Why this is not the right answer, in sentences; empty when it is.
    ///
    /// - Parameter detectedSeconds: when the verdict was reached.
    func shortfalls(_ right: DrillExpectations.Name, detectedSeconds: Double?) -> [String] {
        guard let namedSeconds else { return ["the leak was not named"] }
        var result: [String] = []
        if let limit = right.withinSeconds, let detectedSeconds, namedSeconds - detectedSeconds > limit {
            let took = ((namedSeconds - detectedSeconds) * 10).rounded() / 10
            result.append("the leak was named \(took) s after the verdict, later than the \(limit) s expected")
        }
        if let wanted = right.site, site?.contains(wanted) != true {
            result.append("the leak was said to come from \(site ?? "nowhere"), not from \(wanted)")
        }
        if let wanted = right.type, type?.contains(wanted) != true {
            result.append("the leaked type was said to be \(type ?? "unknown"), not \(wanted)")
        }
        var rest = (chain ?? [])[...]
        for wanted in right.chain {
            guard let index = rest.firstIndex(where: { $0.contains(wanted) }) else {
                let said = (chain ?? []).joined(separator: " → ")
                return result + ["the chain lacks \(wanted): \(said.isEmpty ? "it is empty" : said)"]
            }
            rest = rest[(index + 1)...]
        }
        return result
    }
}
