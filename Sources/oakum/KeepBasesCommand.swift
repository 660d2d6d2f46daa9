import ArgumentParser
import Foundation
import OakumApp
import OakumModel

/// What `oakum up` runs once a minute when earlier moments of heaps are to be kept; see `HeapBaseFile`.
struct KeepBasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keep-bases", abstract: "Keeps the present moment of heaps, to compare with later.",
        shouldDisplay: false)

    @Argument(help: "For each heap its file, the process, and its start in clock ticks after boot.")
    var heaps: [String]

    func run() async throws {
        // Serving comes first.
        _ = nice(5)
        var failed = heaps.count % 3 != 0
        for index in stride(from: 0, to: heaps.count - 2, by: 3) {
            guard let pid = Int32(heaps[index + 1]), let ticks = UInt64(heaps[index + 2]) else {
                failed = true
                continue
            }
            do throws(HeapTarget.Problem) {
                try HeapBaseFile.take(
                    heapFile: heaps[index], of: ProcessIdentity(pid: pid, startTicks: ticks))
            } catch {
                // One that cannot be read keeps nobody else's from being kept.
                Terminal.line(error.description)
                failed = true
            }
        }
        if failed { throw ExitCode(1) }
    }
}
