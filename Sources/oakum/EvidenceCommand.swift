import ArgumentParser
import Foundation
import OakumApp
import OakumModel

/// What `oakum up` runs to look into a worker's heap; see `HeapEvidence`.
struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence", abstract: "Prints what leaks in a process, as JSON.", shouldDisplay: false)

    @Argument(help: "The heap file.") var heapFile: String
    @Argument(help: "The process.") var pid: Int32
    @Argument(help: "Its start in clock ticks after boot.") var startTicks: UInt64

    func run() async throws {
        // Serving comes first.
        _ = nice(5)
        do throws(HeapTarget.Problem) {
            let process = ProcessIdentity(pid: pid, startTicks: startTicks)
            let evidence = try HeapEvidence(heapFile: heapFile, of: process)
            Terminal.line(String(decoding: try Self.encoded(evidence), as: UTF8.self))
        } catch {
            Terminal.line(error.description)
            throw ExitCode(1)
        }
    }

    private static func encoded(_ evidence: HeapEvidence) throws(HeapTarget.Problem) -> Data {
        do {
            return try JSONEncoder().encode(evidence)
        } catch {
            throw HeapTarget.Problem(description: "the evidence cannot be written: \(error)")
        }
    }
}
