import OakumModel

/// What the people on call, and the business, were told during an arm, on the arm's own axis. Pure.
struct PageFindings: Hashable, Sendable {
    /// The first page of an incident arrived.
    var pagedSeconds: Double?
    /// Somebody had taken it on.
    var ackedSeconds: Double?
    /// The first page held verdict, time to the limit, site, type, chain and what is being done.
    var hasCause: Bool?
    /// What the first page did not hold.
    var missing: [String] = []
    /// The first message to the business.
    var toldSeconds: Double?
    /// The last message to the business: its title.
    var told: String?

    init(pages: [PageReceiver.Arrival], ackedAt: Uptime?, startedAt: Uptime) {
        ackedSeconds = ackedAt.map { max(0, $0 - startedAt) }
        let business = pages.filter { $0.page.data.kind == .stakeholders }
        toldSeconds = business.first.map { max(0, $0.at - startedAt) }
        told = business.last?.page.data.title
        guard let first = pages.first(where: { $0.page.data.kind == .opened }) else { return }
        pagedSeconds = max(0, first.at - startedAt)
        missing = Self.causeFacts.filter { first.page.fact($0)?.isEmpty != false }
        hasCause = missing.isEmpty
    }

    /// Names of the facts that say what it is, how long there is time, where it comes from and what is being done.
    static let causeFacts = ["verdict", "time to limit", "site", "type", "held by", "what Oakum does"]
}
