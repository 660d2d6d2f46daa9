package import OakumModel
package import Paging

/// What the book remembers of one incident beside what people see; stored with it.
package struct DeskState: Hashable, Sendable, Codable {
    /// Alerts with this key belong to it while it is open.
    package var group: String
    /// Nil: nobody is paged (yet).
    package var course: EscalationCourse?
    /// Pages made so far: their ids count on from here.
    package var pageCount = 0
    /// Pages whose outcome is not known; at most `outstandingLimit`, the newest.
    package var outstanding: [OutstandingPage] = []
    /// Who got a page: who hears of what becomes of it; at most `toldLimit`, the first.
    package var told: [Recipient] = []
    /// The first page waits for evidence until then.
    package var heldUntil: Uptime?
    /// A silence keeps it from being paged.
    package var isSilenced = false
    /// Nothing fires since then.
    package var clearSince: Uptime?
    /// Resolved by hand while it still fired: told again before that, it is no news.
    package var quietUntil: Uptime?
    /// The last page that told more.
    package var updatedAt: Uptime?
    /// The last word of any of its alerts.
    package var heardAt: Uptime
    package var resolvedAt: Uptime?
    /// What somebody took it on for.
    package var acknowledged: AcknowledgementRule?
    /// Told to each audience, as "name stage".
    package var stakeholders: Set<String> = []
    /// How often users noticed again after they had been served as before; beyond `relapseLimit` that is no news.
    package var relapses: Int?
    /// What the pages so far said of the cause: a page that says more is worth sending.
    package var toldCause: String?
    /// Alerts that are only counted; see `IncidentBook.trackedLimit`.
    package var isOverfull = false
    /// Written by this boot's clock at this moment; after a reboot all uptimes above are moved.
    package var savedAt: Moment

    package static let outstandingLimit = 256
    package static let toldLimit = 64
    package static let relapseLimit = 5

    package init(group: String, at now: Moment) {
        self.group = group
        heardAt = now.uptime
        savedAt = now
    }

    /// After a reboot: uptimes of before are of another clock.
    package mutating func rebase(by seconds: Double) {
        func moved(_ time: Uptime?) -> Uptime? { time.map { $0 + seconds } }
        _ = course?.handle(.rebased(by: seconds), at: heardAt)
        acknowledged?.rebase(by: seconds)
        heldUntil = moved(heldUntil)
        clearSince = moved(clearSince)
        quietUntil = moved(quietUntil)
        updatedAt = moved(updatedAt)
        resolvedAt = moved(resolvedAt)
        heardAt = heardAt + seconds
    }
}

/// A page whose outcome is not known.
package struct OutstandingPage: Hashable, Sendable, Codable {
    package var id: String
    package var kind: PageKind
    /// The notice of the escalation it is part of; nil: of none.
    package var notice: Int?
    package var recipient: Recipient

    package init(id: String, kind: PageKind, notice: Int?, recipient: Recipient) {
        self.id = id
        self.kind = kind
        self.notice = notice
        self.recipient = recipient
    }
}
