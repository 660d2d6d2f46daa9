package import HeapInspection
package import HeapProfile
package import OakumModel

/// What one look into a heap gave, as the process that looked hands it to `oakum up`.
package struct HeapEvidence: Hashable, Sendable, Codable {
    /// Sites that leak, the one that leaks most first; empty when nothing could be named.
    package var findings: [HeapFinding]
    /// Why there are none, or what is missing, in words.
    package var remarks: [String]

    private static let findingLimit = 5

    /// Looks into the heap of a process that a heap file belongs to, and keeps types and chains beside the file for when
    /// the process is dead. Takes up to eight seconds, a core, and a few hundred MiB: meant for a process of its own.
    ///
    /// - Throws: `HeapTarget.Problem` when there is nothing to look at.
    package init(heapFile: String, of process: ProcessIdentity) throws(HeapTarget.Problem) {
        let target = try HeapTarget(file: heapFile)
        guard target.isAlive, target.image.process.identity == process else {
            throw HeapTarget.Problem(description: "the process is gone")
        }
        var limits = HeapCapture.Limits()
        limits.time = .seconds(8)
        limits.sites = 3
        limits.leaksOnly = true
        limits.holders.levels = 24
        let capture = target.capture(limits: limits)
        findings = capture.leaks.prefix(Self.findingLimit).map(capture.finding)
        remarks = capture.remarks
        if findings.isEmpty {
            remarks.insert(
                "none of \(capture.profile.sites.count) places shows a leak, by \(target.image.live.count) samples",
                at: 0)
        }
        do {
            try target.keep(capture.snapshot)
        } catch {
            // What was found now is told all the same.
            remarks.append("types and chains cannot be kept for later: \(error)")
        }
    }
}

extension HeapCapture {
    /// Sites that leak, the one that leaks most first. What holds less than a hundredth of all that lives is left out: it
    /// may leak, but it is not why anybody looks (and libraries' own pools look like small leaks).
    package var leaks: [Site] {
        profile.sites.filter { $0.verdict.code == .leaks && $0.share >= 0.01 }.sorted {
            ($0.verdict.leakBytesPerSecond?.estimate ?? 0) > ($1.verdict.leakBytesPerSecond?.estimate ?? 0)
        }
    }

    /// The bounded cache that most of a site's examined blocks are entries of.
    package func cache(holding site: Site) -> HoldingCache? {
        chains(of: site).first?.chain.named.map { HoldingCache(name: $0.name, boundBytes: $0.boundBytes) }
    }

    /// A site in the form of events and reports.
    package func finding(_ site: Site) -> HeapFinding {
        HeapFinding(
            site: site.label, function: site.frame?.function ?? site.label, file: site.frame?.file,
            line: site.frame?.line, fingerprint: site.fingerprint.text, type: site.types.first?.type,
            chain: chains(of: site).first?.chain.path ?? [], cache: cache(holding: site),
            liveBytes: Int64(site.live.bytes.estimate.rounded()),
            share: site.share, neverFreed: site.survival?.neverFreed, tookSeconds: (seconds * 1_000).rounded() / 1_000)
    }
}
