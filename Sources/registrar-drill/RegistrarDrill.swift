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
              registrar-drill --fault slow-database --fault-time 300ms --fault-after 1m
            """)

    @OptionGroup var options: RegistrarOptions

    @Option(help: ArgumentHelp("The fault to switch on; see --list-faults.", valueName: "name"))
    var fault: Fault?

    @Option(
        help: ArgumentHelp("How much the fault leaves behind each time (default: the fault's own).", valueName: "size"))
    var faultBytes: SizeArgument?

    @Option(help: ArgumentHelp("How long the fault takes each time (default: the fault's own).", valueName: "time"))
    var faultTime: TimeArgument?

    @Option(help: ArgumentHelp("How long after its start slow-database begins to be slow.", valueName: "time"))
    var faultAfter: TimeArgument?

    @Flag(help: "Print the faults and stop.")
    var listFaults = false

    func validate() throws {
        for (name, isThere) in [
            ("--fault-bytes", faultBytes != nil), ("--fault-time", faultTime != nil),
            ("--fault-after", faultAfter != nil),
        ] where isThere && fault == nil {
            throw ValidationError("\(name) needs --fault.")
        }
        if let faultBytes, faultBytes.bytes > 1 << 30 { throw ValidationError("--fault-bytes may be at most 1GiB.") }
    }

    func run() async throws {
        if listFaults {
            for fault in Fault.allCases { print("\(fault.rawValue)\t\(fault.summary)") }
            return
        }
        try await RegistrarProgram(options: options, name: "registrar-drill") {
            [fault, faultBytes, faultTime, faultAfter] parts in
            guard let fault else { return parts }
            return fault.installed(
                in: parts, bytes: faultBytes?.bytes ?? fault.standardBytes,
                time: faultTime?.duration ?? fault.standardTime, after: faultAfter?.duration ?? .zero)
        }.run()
    }
}

extension Fault: ExpressibleByArgument {}
