package import Glibc

/// The assignment of descriptors that a supervisor handed over, read from the environment; pure.
///
/// Source: sd_listen_fds(3).
package struct InheritedSockets: Equatable {
    /// Sockets for requests; several when a systemd socket unit has several `ListenStream=` lines.
    package var http: [CInt] = []
    /// The socket for health and metrics.
    package var admin: CInt?
    /// Descriptors that nobody claims; they are closed.
    package var unclaimed: [CInt] = []

    /// The first descriptor of the protocol.
    static let firstDescriptor: CInt = 3
    /// More than anybody hands over; a larger count is a mistake, not a list.
    static let maximumCount = 64
    /// Every variable of the protocol, cleared so that no child of the service takes the sockets for its own.
    static let variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"]

    /// Reads the variables; `nil` when they are absent or meant for another process.
    package init?(environment: (String) -> String?, processID: pid_t) throws(HandoverError) {
        guard let target = environment("LISTEN_PID"), pid_t(target) == processID,
            let text = environment("LISTEN_FDS")
        else { return nil }
        guard let count = Int(text), (0...Self.maximumCount).contains(count) else {
            throw .unusableSockets("LISTEN_FDS is \"\(text)\", expected a number up to \(Self.maximumCount)")
        }
        guard count > 0 else { return nil }
        let names = environment("LISTEN_FDNAMES")?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        guard names.isEmpty || names.count == count else {
            throw .unusableSockets("LISTEN_FDNAMES has \(names.count) names for \(count) sockets")
        }
        for index in 0..<count {
            let descriptor = Self.firstDescriptor + CInt(index)
            switch names.isEmpty ? "" : names[index] {
            case "http": http.append(descriptor)
            case "admin" where admin == nil: admin = descriptor
            default: unclaimed.append(descriptor)
            }
        }
        try claimUnnamed()
    }

    /// systemd names a socket after its unit unless told otherwise, so a single one needs no name of ours.
    private mutating func claimUnnamed() throws(HandoverError) {
        guard http.isEmpty else { return }
        guard unclaimed.count == 1 else {
            throw .unusableSockets(
                "none is named \"http\" among \(unclaimed.count + (admin == nil ? 0 : 1)); "
                    + "name it, for systemd with FileDescriptorName=http")
        }
        http = unclaimed
        unclaimed = []
    }
}
