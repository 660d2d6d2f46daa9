import ArgumentParser
import Foundation
import OakumAPI
import OakumApp
import OakumModel

/// What `oakum up` runs when somebody asks to see a worker's heap; see `HeapLooking`.
struct LookCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "look", abstract: "Prints what lives in a worker's heap, as JSON.", shouldDisplay: false)

    @Argument(help: "The heap file.") var heapFile: String
    @Argument(help: "The process.") var pid: Int32
    @Argument(help: "Its start in clock ticks after boot.") var startTicks: UInt64
    @Option(help: "The worker's service.") var service: String
    @Option(help: "The worker's number.") var worker: UInt32
    @Option(help: "For another tool: pprof or folded.") var form: String?

    func run() async throws {
        // Serving comes first.
        _ = nice(5)
        do {
            let looking = try HeapLooking(
                heapFile: heapFile, of: ProcessIdentity(pid: pid, startTicks: startTicks))
            FileHandle.standardOutput.write(try output(of: looking))
        } catch {
            Terminal.line("\(error)")
            throw ExitCode(1)
        }
    }

    private func output(of looking: HeapLooking) throws -> Data {
        guard let form else {
            let encoder = JSONEncoder()
            // An interval may have no end.
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return try encoder.encode(looking.view(HeapQuery(service: service, worker: worker)))
        }
        guard let form = HeapFileForm(rawValue: form) else {
            throw HeapTarget.Problem(description: "there is no form `\(form)`")
        }
        return Data(looking.file(as: form))
    }
}
