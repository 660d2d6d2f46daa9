import CLinux
import Foundation
import LeakDetection
import LinuxHost
package import OakumModel
import ProcessReadings

/// Watches any running process and all below it, judges the sum of their memory, and acts on nothing.
package struct Attachment {
    /// One second's reading.
    package struct Look: Hashable, Sendable {
        package var processes: Int
        /// Of those that could not be read: gone meanwhile, or not ours to see.
        package var unreadable: Int
        package var rss: ByteCount
        package var verdict: Verdict
    }

    /// Where the memory goes, as far as anyone may see.
    package struct Findings: Hashable, Sendable, Codable {
        /// By the sampler, when it is loaded.
        package var leaks: [HeapFinding] = []
        /// Growth of resident bytes by mapping since the watch began, the most first; without the sampler.
        package var growth: [Mapping] = []
        /// What may not be seen, and which right or part is missing.
        package var remarks: [String] = []

        package struct Mapping: Hashable, Sendable, Codable {
            package var name: String
            package var bytes: Int64
        }
    }

    package let process: ProcessIdentity
    /// What memory is held against.
    package let limit: ByteCount
    /// Whose limit that is, in words.
    package let limitSource: String
    private let sampler = ProcSampler()
    private var detector: LeakDetector
    private let firstSizes: MappingSizes?

    /// - Parameter limit: nil: the limit of its control group, else the machine's memory.
    /// - Throws: `HeapTarget.Problem` when there is no such process.
    package init(pid: Int32, limit: ByteCount? = nil) throws(HeapTarget.Problem) {
        let start = linux_start_ticks(pid)
        guard start != 0 else { throw HeapTarget.Problem(description: "there is no process \(pid)") }
        process = ProcessIdentity(pid: pid, startTicks: start)
        let group = CgroupMemory.locate(pid: pid)?.read()?.limitBytes.flatMap { Int64(exactly: $0) }
        let machine = Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(Machine.pageBytes)
        if let limit {
            (self.limit, limitSource) = (limit, "as asked")
        } else if let group, group < machine {
            (self.limit, limitSource) = (ByteCount(group), "of its control group")
        } else {
            (self.limit, limitSource) = (ByteCount(machine), "of the machine")
        }
        detector = LeakDetector(settings: .worker, limit: Double(self.limit.bytes))
        firstSizes = MappingSizes(pid: pid)
    }

    /// Takes the next reading; call it once a second. Nil when the process is gone.
    package mutating func look() -> Look? {
        guard let tree = ProcessTree(root: process) else { return nil }
        let now = sampler.now().uptime
        let readings = sampler.sample(tree.members, at: now)
        // Without the root there is nothing to judge: a failed read is never a zero.
        guard readings.first != nil, readings[0] != nil else { return nil }
        let sum = readings.reduce(0) { $0 + ($1?.rss.bytes ?? 0) }
        detector.add(SeriesPoint(seconds: now.seconds, value: Double(sum)))
        return Look(
            processes: readings.count, unreadable: readings.count { $0 == nil }, rss: ByteCount(sum),
            verdict: detector.verdict())
    }

    /// Looks for where the memory goes. Takes up to eight seconds.
    package func findings() -> Findings {
        var result = Findings()
        do throws(HeapTarget.Problem) {
            let target = try HeapTarget(pid: process.pid)
            let evidence = try HeapEvidence(heapFile: target.path, of: process)
            result.leaks = evidence.findings
            result.remarks = evidence.remarks
            if !result.leaks.isEmpty { return result }
        } catch {
            result.remarks.append(error.description)
        }
        guard let firstSizes, let sizes = MappingSizes(pid: process.pid) else {
            result.remarks.append(
                "its mappings may not be read: look as the user it runs as, or as root (CAP_SYS_PTRACE)")
            return result
        }
        result.growth = sizes.growth(since: firstSizes).prefix(5).map { .init(name: $0.name, bytes: $0.bytes) }
        return result
    }
}
