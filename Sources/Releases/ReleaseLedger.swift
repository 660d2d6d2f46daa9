package import OakumModel

/// What is known of one release of a service.
package struct ReleaseRecord: Hashable, Sendable, Codable {
    package var release: ReleaseID
    /// What the artefact calls itself.
    package var version: String
    /// Seconds since 1970.
    package var unpackedAt: Double
    package var by: String
    /// Nil while it was never deployed, or is being deployed.
    package var outcome: DeployOutcome?
    package var reason: String?
    package var promotedAt: Double?
    package var endedAt: Double?
    /// Its migration closes the way back to what ran before it.
    package var isOneWay: Bool
    /// Rolled back without a person's word; a second time is not tried.
    package var automaticRollbacks: Int

    package init(release: ReleaseID, version: String, unpackedAt: Double, by: String, isOneWay: Bool = false) {
        self.release = release
        self.version = version
        self.unpackedAt = unpackedAt
        self.by = by
        self.isOneWay = isOneWay
        automaticRollbacks = 0
    }

    private enum CodingKeys: String, CodingKey {
        case release, version, by, outcome, reason
        case unpackedAt = "unpacked_at"
        case promotedAt = "promoted_at"
        case endedAt = "ended_at"
        case isOneWay = "one_way"
        case automaticRollbacks = "automatic_rollbacks"
    }
}

/// All releases of one service, the newest last; what runs, and the deploy under way. Stored as one small file.
package struct ReleaseLedger: Hashable, Sendable, Codable {
    /// Records of releases whose folders are gone are kept for people, this many.
    package static let most = 200

    package var current: ReleaseID
    package private(set) var records: [ReleaseRecord]
    package var course: DeployCourse?
    /// Why nothing may be deployed until a person says so: a release failed after it had been rolled back once.
    package var frozen: String?

    package init(current: ReleaseID = .configured) {
        self.current = current
        records = []
    }

    package subscript(release: ReleaseID) -> ReleaseRecord? {
        get { records.last { $0.release == release } }
        set {
            guard let newValue, let index = records.lastIndex(where: { $0.release == release }) else { return }
            records[index] = newValue
        }
    }

    package mutating func add(_ record: ReleaseRecord) {
        records.removeAll { $0.release == record.release }
        records.append(record)
        if records.count > Self.most { records.removeFirst(records.count - Self.most) }
    }

    /// Where a rollback without a name leads: the last one before the current that was proven, else that was promoted and not
    /// rolled back.
    package var wayBack: ReleaseRecord? {
        guard let place = records.lastIndex(where: { $0.release == current }) else { return nil }
        let earlier = records[..<place].filter { $0.promotedAt != nil }
        return earlier.last { $0.outcome == .proven } ?? earlier.last { $0.outcome != .undone && $0.outcome != .held }
    }

    /// Why a release may not be deployed now; nil: it may.
    package func objection(to release: ReleaseID) -> String? {
        if let course, !course.isOver {
            return
                "\(course.plan.candidate) is being deployed (\(course.step.rawValue)): wait for it, or take it back with "
                + "`oakum rollback \(course.plan.service)`"
        }
        if let frozen { return "deploys are frozen: \(frozen); `oakum deploy --unfreeze` when that is understood" }
        if release == current { return "\(release) is what runs already" }
        return nil
    }

    /// Whether Oakum may take the current release back by itself, and to which.
    /// - Parameter leakBegan: seconds since 1970; a leak that is older than the promotion did not come with it.
    package func automaticWayBack(leakBegan: Double?) -> (release: ReleaseID?, why: String) {
        guard let record = self[current] else { return (nil, "what runs is no release that was deployed") }
        guard let promotedAt = record.promotedAt else { return (nil, "\(current) was never promoted") }
        if let leakBegan, leakBegan < promotedAt { return (nil, "the leak is older than the promotion of \(current)") }
        if record.isOneWay { return (nil, "the migration of \(current) is one-way") }
        guard record.automaticRollbacks == 0 else { return (nil, "\(current) was rolled back once already") }
        guard let back = wayBack, back.outcome == .proven else { return (nil, "no earlier release is proven") }
        return (back.release, "\(back.release) is proven, and the leak began after \(current) was promoted")
    }

    /// Whose folders may go: all but the current, the way back, what a course needs, and the newest `keep`.
    package func expendable(keep: Int) -> [ReleaseID] {
        var kept: Set<ReleaseID> = [current]
        if let wayBack { kept.insert(wayBack.release) }
        if let course, !course.isOver { kept.formUnion([course.plan.candidate, course.plan.base]) }
        let others = records.filter { !kept.contains($0.release) }
        return others.dropLast(max(0, keep - kept.count)).map(\.release)
    }
}
