package import ArgumentParser
internal import RegistrationCore
internal import ServiceHandover

/// The options of the registration service, common to its two executables.
package struct RegistrarOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The SQLite file; made when missing, with its folders.", valueName: "path"))
    package var database = "registrar.sqlite"

    @Option(
        help: ArgumentHelp(
            "Where to serve when no socket is inherited; port 0 takes a free one.", valueName: "host:port"))
    package var listen = "127.0.0.1:8080"

    @Option(
        help: ArgumentHelp(
            "Where to serve health and metrics when no socket is inherited; not served when absent.",
            valueName: "unix:path|host:port"))
    package var admin: String?

    @Option(help: ArgumentHelp("Memory of one password hash while it runs.", valueName: "size"))
    package var hashMemory = SizeArgument(bytes: HashCost.standard.memoryBytes)

    @Option(help: ArgumentHelp("Passes of a password hash over its memory.", valueName: "n"))
    package var hashPasses = HashCost.standard.passes

    @Option(
        help: ArgumentHelp(
            "Password hashes at once (default: one a core, as far as 128 MiB hold them).", valueName: "n"))
    package var hashSlots: Int?

    @Option(
        help: ArgumentHelp("How long a request may wait for its password hash before it gets a 503.", valueName: "time")
    )
    package var hashWait = TimeArgument(milliseconds: 500)

    @Option(help: ArgumentHelp("The most that sessions kept in memory may take.", valueName: "size"))
    package var sessionCache = SizeArgument(bytes: 8 << 20)

    @Option(help: ArgumentHelp("The most that profiles kept in memory may take.", valueName: "size"))
    package var profileCache = SizeArgument(bytes: 8 << 20)

    @Option(help: ArgumentHelp("How long an idle connection stays open.", valueName: "time"))
    package var idleWindow = TimeArgument(milliseconds: 5000)

    @Option(help: ArgumentHelp("How long requests may take to finish after SIGTERM.", valueName: "time"))
    package var drainDeadline = TimeArgument(milliseconds: 15_000)

    package init() {}

    package mutating func validate() throws {
        guard !database.isEmpty else { throw ValidationError("--database must name a file.") }
        _ = try addresses()
        guard (8 * 1024...4 * 1024 * 1024 * 1024).contains(hashMemory.bytes) else {
            throw ValidationError("--hash-memory must lie between 8KiB and 4GiB; 19MiB is a good value.")
        }
        guard (1...100).contains(hashPasses) else { throw ValidationError("--hash-passes must lie between 1 and 100.") }
        for (name, size) in [("--session-cache", sessionCache), ("--profile-cache", profileCache)]
        where !(64 * 1024...64 * 1024 * 1024 * 1024).contains(size.bytes) {
            throw ValidationError("\(name) must lie between 64KiB and 64GiB; 8MiB is a good value.")
        }
        if let hashSlots, !(1...256).contains(hashSlots) {
            throw ValidationError("--hash-slots must lie between 1 and 256.")
        }
    }
    /// Where to serve without inherited sockets; nil admin: nowhere.
    func addresses() throws -> (http: ListenAddress, admin: ListenAddress?) {
        (try Self.address(listen, of: "--listen"), try admin.map { try Self.address($0, of: "--admin") })
    }

    private static func address(_ text: String, of option: String) throws -> ListenAddress {
        guard let address = ListenAddress(text) else {
            throw ValidationError("\(option) must be HOST:PORT, [IPV6]:PORT or unix:PATH, e.g. 127.0.0.1:8080.")
        }
        return address
    }
}
