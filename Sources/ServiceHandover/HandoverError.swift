/// Why a service could not start serving, or had to stop.
public enum HandoverError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The sockets that were handed over do not fit; start the process with other ones.
    case unusableSockets(String)
    /// A socket of our own could not be opened; the address is taken, wrong, or not allowed.
    case cannotListen(address: String, reason: String)
    /// A listening socket broke while serving; the process should be replaced.
    case listenerFailed

    /// What happened and what to do next.
    public var description: String {
        switch self {
        case .unusableSockets(let reason):
            "the sockets handed over through LISTEN_FDS cannot be used: \(reason)"
        case .cannotListen(let address, let reason):
            "cannot listen on \(address): \(reason)"
        case .listenerFailed:
            "a listening socket stopped working; requests under way were finished, replace this process"
        }
    }
}
