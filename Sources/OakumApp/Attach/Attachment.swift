import CLinux
import Foundation
import HeapInspection
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
    /// Of the processes that were there when the watch began; the first ones, if there are many.
    private var firstSizes: [ProcessIdentity: MappingSizes] = [:]
    private var firstResident: [ProcessIdentity: Int64] = [:]
    /// Processes whose mappings are read, and whose heaps are looked into: those that grew most.
    private static let mappedLimit = 16
    private static let lookedIntoLimit = 3

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
        for member in ProcessTree(root: process)?.members.prefix(Self.mappedLimit) ?? [] {
            firstSizes[member] = MappingSizes(pid: member.pid)
        }
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
        if firstResident.isEmpty { firstResident = resident(tree, readings) }
        return Look(
            processes: readings.count, unreadable: readings.count { $0 == nil }, rss: ByteCount(sum),
            verdict: detector.verdict())
    }

    /// What a leak could not be told by, as far as can be known beforehand: one sentence each, with what to do.
    package func blindSpots() -> [String] {
        var result: [String] = []
        let members = ProcessTree(root: process)?.members.prefix(Self.mappedLimit) ?? []
        if let member = members.first(where: { MappingSizes(pid: $0.pid) == nil }) {
            result.append("growth by mapping is not seen: oakum " + AccessProblem.explain(pid: member.pid))
        }
        let problems = members.map { member -> String? in
            do throws(HeapTarget.Problem) {
                _ = try HeapTarget.heapFile(of: member.pid)
                return nil
            } catch {
                return error.description
            }
        }
        // One of them with the sampler is enough: it is usually the children that do the work.
        if let first = problems.first ?? nil, !problems.contains(nil) {
            result.append("a leak's line, type and holders are not seen: " + first)
        }
        return result
    }

    /// Looks for where the memory goes. Takes up to eight seconds for each of the three processes that grew most.
    package func findings() -> Findings {
        var result = Findings()
        let members = grown()
        for member in members.prefix(Self.lookedIntoLimit) {
            do throws(HeapTarget.Problem) {
                let target = try HeapTarget(pid: member.pid)
                let evidence = try HeapEvidence(heapFile: target.path, of: member)
                result.leaks += evidence.findings
                result.remarks += evidence.remarks.map { members.count == 1 ? $0 : "process \(member.pid): \($0)" }
            } catch {
                result.remarks.append(error.description)
            }
        }
        if !result.leaks.isEmpty { return result }
        let sizes = members.prefix(Self.mappedLimit).map { ($0, MappingSizes(pid: $0.pid)) }
        if let unseen = sizes.first(where: { $0.1 == nil })?.0 {
            result.remarks.append("growth by mapping is not seen: oakum " + AccessProblem.explain(pid: unseen.pid))
        }
        let now = sizes.reduce(into: MappingSizes()) { $0.add($1.1 ?? MappingSizes()) }
        let then = sizes.reduce(into: MappingSizes()) { $0.add(firstSizes[$1.0] ?? MappingSizes()) }
        result.growth = now.growth(since: then).prefix(5).map { .init(name: $0.name, bytes: $0.bytes) }
        return result
    }

    /// The processes there are, those first that have grown most since the watch began.
    private func grown() -> [ProcessIdentity] {
        guard let tree = ProcessTree(root: process) else { return [process] }
        let now = resident(tree, sampler.sample(tree.members, at: sampler.now().uptime))
        return tree.members.map { ($0, (now[$0] ?? 0) - (firstResident[$0] ?? 0)) }
            .sorted { ($0.1, $1.0.pid) > ($1.1, $0.0.pid) }
            .map(\.0)
    }

    private func resident(_ tree: ProcessTree, _ readings: [Sample?]) -> [ProcessIdentity: Int64] {
        Dictionary(zip(tree.members, readings).compactMap { member, reading in reading.map { (member, $0.rss.bytes) } })
        {
            first, _ in first
        }
    }
}
