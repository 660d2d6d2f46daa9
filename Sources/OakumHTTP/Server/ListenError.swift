/// Why a server of Oakum's own cannot listen. Each text says what to do next.
package enum ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address is malformed, or names a host that does not resolve.
    case invalidAddress(String)
    /// Other machines could reach the address, and nothing in front of it protects the console.
    case notLoopback(String)
    /// Another program holds the address.
    case addressInUse(String)
    /// Another `oakum` serves this state folder.
    case alreadyRunning(String)
    /// The system refused for another reason.
    case cannotListen(String)

    /// The sentence for people.
    package var message: String {
        switch self {
        case .invalidAddress(let text), .notLoopback(let text), .addressInUse(let text), .alreadyRunning(let text),
            .cannotListen(let text):
            text
        }
    }

    package var description: String { message }
}
