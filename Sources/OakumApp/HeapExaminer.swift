package import HeapInspection
package import HeapProfile
import OakumEngine
package import OakumModel

/// Names what leaks in workers that carry the sampler.
struct HeapExaminer: HeapWitness {
    /// Sites in one answer, at most.
    static let findingLimit = 5
    /// By service.
    let files: [String: HeapFiles]

    @concurrent
    func examine(_ process: ProcessIdentity, of worker: WorkerID) async -> HeapExamination {
        guard let files = files[worker.service] else { return .nothing("its service carries no sampler") }
        files.prune()
        let target: HeapTarget
        do throws(HeapTarget.Problem) {
            target = try HeapTarget(file: files.path(pid: process.pid))
        } catch {
            return .nothing(error.description)
        }
        guard target.image.process.identity == process else { return .nothing("the process is gone") }
        let capture = target.capture()
        do {
            try target.keep(capture.snapshot)
        } catch {
            // Evidence for later only: what was found now is told all the same.
        }
        let findings = capture.leaks.prefix(Self.findingLimit).map { capture.finding($0) }
        guard findings.isEmpty else { return .named(findings) }
        let seen = "\(target.image.live.count) samples of \(capture.profile.sites.count) places"
        return .nothing(([seen + ", none of which shows a leak"] + capture.remarks).joined(separator: "; "))
    }
}

extension HeapCapture {
    /// Sites that leak, the one that leaks most first.
    package var leaks: [Site] {
        profile.sites.filter { $0.verdict.code == .leaks }.sorted {
            ($0.verdict.leakBytesPerSecond?.estimate ?? 0) > ($1.verdict.leakBytesPerSecond?.estimate ?? 0)
        }
    }

    /// A site in the form of events and reports.
    package func finding(_ site: Site) -> HeapFinding {
        HeapFinding(
            site: site.label, function: site.frame?.function ?? site.label, file: site.frame?.file,
            line: site.frame?.line, fingerprint: site.fingerprint.text, type: site.types.first?.type,
            chain: chains(of: site).first?.chain.path ?? [], liveBytes: Int64(site.live.bytes.estimate.rounded()),
            share: site.share, neverFreed: site.survival?.neverFreed, tookSeconds: (seconds * 1_000).rounded() / 1_000)
    }
}
