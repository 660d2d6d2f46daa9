/// When people were told, and whether the first page said what it is; fields of the protected arm's report.
package struct PagingReport: Hashable, Sendable, Codable {
    /// Null: nobody was paged.
    package var pagedSeconds: Double?
    /// Null: nobody has acknowledged.
    package var ackedSeconds: Double?
    package var pageHasCause: Bool
    /// What the first page did not say.
    package var missing: [String]

    private enum CodingKeys: String, CodingKey {
        case pagedSeconds = "paged_s"
        case ackedSeconds = "acked_s"
        case pageHasCause = "page_has_cause"
        case missing = "page_lacks"
    }

    init(_ findings: PageFindings) {
        func rounded(_ seconds: Double) -> Double { (seconds * 10).rounded() / 10 }
        pagedSeconds = findings.pagedSeconds.map(rounded)
        ackedSeconds = findings.ackedSeconds.map(rounded)
        pageHasCause = findings.hasCause ?? false
        missing = findings.missing
    }

    /// Nil when nobody was to be paged.
    init?(ifPresentIn decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard container.contains(.pageHasCause) else { return nil }
        pagedSeconds = try container.decodeIfPresent(Double.self, forKey: .pagedSeconds)
        ackedSeconds = try container.decodeIfPresent(Double.self, forKey: .ackedSeconds)
        pageHasCause = try container.decode(Bool.self, forKey: .pageHasCause)
        missing = try container.decodeIfPresent([String].self, forKey: .missing) ?? []
    }

    /// What did not happen is null, not absent.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(pagedSeconds, forKey: .pagedSeconds)
        try container.encode(ackedSeconds, forKey: .ackedSeconds)
        try container.encode(pageHasCause, forKey: .pageHasCause)
        if !missing.isEmpty { try container.encode(missing, forKey: .missing) }
    }
}
