import CLinux
import Foundation
import HeapInspection
import HeapProfile
package import OakumAPI
package import OakumModel

/// A look into a heap that somebody asked for. Takes up to ten seconds, a core, and a few hundred MiB: meant for a process
/// of its own.
package struct HeapLooking: Sendable {
    private let target: HeapTarget
    private let base: HeapBase?
    private let baseRemark: String?

    /// - Throws: `HeapTarget.Problem` when there is nothing to look at, or it is another process's.
    package init(heapFile: String, of process: ProcessIdentity) throws(HeapTarget.Problem) {
        guard FileManager.default.fileExists(atPath: heapFile) else {
            throw HeapTarget.Problem(
                description: """
                    \(heapFile) is not there: the process runs without the sampler (was it started before the sampler was \
                    switched on? replace it with `oakum recycle`), or it is gone and what it left was deleted
                    """)
        }
        target = try HeapTarget(file: heapFile)
        guard target.image.process.identity == process else {
            throw HeapTarget.Problem(description: "\(heapFile) was written by another process")
        }
        (base, baseRemark) = HeapBaseFile.read(for: target.image, heapFile: heapFile)
    }

    /// What there is to see of a worker's heap. Types and chains are kept for when the process is dead.
    package func view(_ query: HeapQuery) -> HeapView {
        var limits = HeapCapture.Limits()
        limits.time = .seconds(8)
        limits.sites = 5
        limits.leaksOnly = true
        limits.holders.levels = 24
        var capture = target.capture(limits: limits)
        if let baseRemark { capture.remarks.append(baseRemark) }
        if target.isAlive {
            do {
                try target.keep(capture.snapshot)
            } catch {
                capture.remarks.append("types and chains cannot be kept for later: \(error)")
            }
        }
        let before = base.flatMap(capture.profile(of:))
        return HeapView(capture, of: query, isAlive: target.isAlive, before: before, wallOf: Self.wall)
    }

    /// Live memory by call stack, for other tools.
    package func file(as form: HeapFileForm) -> [UInt8] {
        var limits = HeapCapture.Limits()
        limits.time = .seconds(8)
        limits.sites = 0
        let profile = target.capture(limits: limits).profile
        return switch form {
        case .pprof: profile.pprof()
        case .folded: Array(profile.foldedStacks().utf8)
        }
    }

    /// By both clocks as they are now: a wall clock that was set since then shows the time as it would have been.
    private static func wall(_ moment: Uptime) -> Moment {
        let uptime = Double(linux_uptime_ms()) / 1_000
        let wall = Date().timeIntervalSince1970 - (uptime - moment.seconds)
        return Moment(uptime: moment, wall: WallTime(milliseconds: Int64(wall * 1_000)))
    }
}
