import ArgumentParser
import RegistrarProgram
import RegistrationFaults

@main
struct RegistrarDrill: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "registrar-drill",
        abstract: "The registration service with faults from real incidents, for drills. Never deploy it.",
        discussion: """
            Without --fault it behaves as registrar does.

            Examples:
              registrar-drill --list-faults
              registrar-drill --fault verification-context
              registrar-drill --fault verification-context --fault-bytes 128KiB
              registrar-drill --fault profile-cache
            """)

    @OptionGroup var options: RegistrarOptions

    @Option(help: ArgumentHelp("The fault to switch on; see --list-faults.", valueName: "name"))
    var fault: Fault?

    @Option(
        help: ArgumentHelp("How much the fault leaves behind each time (default: the fault's own).", valueName: "size"))
    var faultBytes: SizeArgument?

    @Flag(help: "Print the faults and stop.")
    var listFaults = false

    func validate() throws {
        if faultBytes != nil, fault == nil { throw ValidationError("--fault-bytes needs --fault.") }
        if let faultBytes, faultBytes.bytes > 1 << 30 { throw ValidationError("--fault-bytes may be at most 1GiB.") }
    }

    func run() async throws {
        if listFaults {
            for fault in Fault.allCases { print("\(fault.rawValue)\t\(fault.summary)") }
            return
        }
        try await RegistrarProgram(options: options, name: "registrar-drill") { [fault, faultBytes] parts in
            guard let fault else { return parts }
            return fault.installed(in: parts, bytes: faultBytes?.bytes ?? fault.standardBytes)
        }.run()
    }
}

extension Fault: ExpressibleByArgument {}
