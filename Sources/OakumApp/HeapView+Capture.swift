package import HeapInspection
package import HeapProfile
package import OakumAPI
package import OakumModel

extension HeapView {
    /// What a capture shows, within the bounds of a view.
    ///
    /// - Parameters:
    ///   - before: the same heap at an earlier moment, if one was kept.
    ///   - wallOf: a moment on both clocks.
    package init(
        _ capture: HeapCapture, of query: HeapQuery, isAlive: Bool, before: HeapProfile?,
        wallOf: (Uptime) -> Moment
    ) {
        let profile = capture.profile
        let image = profile.image
        let growth = before.map { HeapGrowth(from: $0, to: profile) }
        let tree = profile.flameGraph(comparedTo: before, smallestShare: 0.000_5).rows(limit: Self.nodeLimit)
        let sites = HeapSite.ranked(capture, growth: growth)
        self.init(
            of: query, process: image.process.identity, at: wallOf(image.observed),
            tookSeconds: (capture.seconds * 1_000).rounded() / 1_000, isAlive: isAlive,
            base: before.map { wallOf($0.image.observed) }, live: profile.total.bytes, growth: growth?.total,
            bytesInUse: image.bytesInUse, samples: profile.total.samples, meanBytes: image.meanBytes,
            confidence: profile.confidence, tree: tree.rows.map(HeapNode.init), nodesLeftOut: tree.leftOut,
            sites: Array(sites.prefix(Self.siteLimit)), sitesLeftOut: max(0, sites.count - Self.siteLimit),
            remarks: capture.remarks + profile.notes)
    }

    /// No longer than names in a view may be; the beginning tells most.
    fileprivate static func clipped(_ text: String) -> String {
        guard text.utf8.count > textLimit, text.count > textLimit else { return text }
        return text.prefix(textLimit - 1) + "…"
    }

    /// What no integer holds is cut off at its end.
    fileprivate static func whole(_ value: Double) -> Int64 {
        guard value.isFinite else { return value > 0 ? .max : 0 }
        return Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
    }
}

extension HeapNode {
    init(_ row: FlameRow) {
        self.init(
            parent: row.parent, function: HeapView.clipped(row.function), place: row.place.map(HeapView.clipped),
            role: HeapRole(row.role), bytes: HeapView.whole(row.bytes), ownBytes: HeapView.whole(row.ownBytes),
            growth: row.growthBytes.map(HeapView.whole))
    }
}

extension HeapRole {
    init(_ role: FrameRole) {
        switch role {
        case .own: self = .own
        case .dependency: self = .library
        case .runtime, .glue, .allocator: self = .runtime
        }
    }
}

extension HeapSite {
    /// The worst first: what leaks, most bytes a second first; then what grew most, where something is compared, else what
    /// holds most.
    static func ranked(_ capture: HeapCapture, growth: HeapGrowth?) -> [HeapSite] {
        let grown = Dictionary(growth?.sites.map { ($0.fingerprint, $0.bytes) } ?? []) { first, _ in first }
        let leaks = capture.leaks
        let leaking = Set(leaks.map(\.fingerprint))
        let others = capture.profile.sites.filter { !leaking.contains($0.fingerprint) }.sorted { left, right in
            let (a, b) = (left, right)
            let (aGrowth, bGrowth) = (grown[a.fingerprint]?.estimate ?? 0, grown[b.fingerprint]?.estimate ?? 0)
            return (-aGrowth, -a.live.bytes.estimate, a.fingerprint) < (-bGrowth, -b.live.bytes.estimate, b.fingerprint)
        }
        return (leaks + others).map { HeapSite($0, growth: grown[$0.fingerprint], capture) }
    }

    init(_ site: Site, growth: Estimate?, _ capture: HeapCapture) {
        self.init(
            site: HeapView.clipped(site.label), fingerprint: site.fingerprint.text, role: site.role.map(HeapRole.init),
            verdict: site.verdict.code.rawValue, verdictWords: site.verdict.code.words, reason: site.verdict.reason,
            live: site.live.bytes, share: site.share, growth: growth, neverFreed: site.survival?.neverFreed,
            types: site.types.prefix(3).map {
                HeapTypeShare(type: HeapView.clipped($0.type), bytes: HeapView.whole($0.bytes))
            },
            chains: capture.chains(of: site).map { chain in
                HeapChain(
                    path: chain.chain.path.map(HeapView.clipped), words: HeapView.clipped(chain.chain.words),
                    blocks: chain.blocks, examined: chain.examined)
            }, cache: capture.cache(holding: site))
    }
}
