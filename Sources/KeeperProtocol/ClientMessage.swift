/// The version both sides speak. Fields may be added at the end of a message, which older readers skip; anything else
/// makes a new version, and a keeper says goodbye to a client of another one.
package let keeperProtocolVersion: UInt32 = 2

/// From `oakum` to its keeper. Answers come in the order of the questions.
package enum ClientMessage: Hashable, Sendable {
    /// The first message; answered with `KeeperMessage.hello`.
    case hello(version: UInt32)
    /// Answered with `applied` or `refused`.
    case apply(Order)
    /// Answered with `inventory`.
    case inspect
    /// Stops all workers, then the keeper. Answered with `goodbye` when they are gone.
    case stopAll

    /// The message as a frame; nil when it is longer than a frame may be.
    package func frame() -> [UInt8]? {
        var writer = WireWriter()
        switch self {
        case .hello(let version):
            writer.put(1 as UInt8)
            writer.put(integer: version)
        case .apply(let order):
            writer.put(2 as UInt8)
            order.write(to: &writer)
        case .inspect: writer.put(3 as UInt8)
        case .stopAll: writer.put(4 as UInt8)
        }
        return FrameDecoder.frame(writer.bytes)
    }

    /// Reads the body of a frame.
    package init(body: ArraySlice<UInt8>) throws(WireError) {
        var reader = WireReader(body)
        switch try reader.byte() {
        case 1: self = .hello(version: try reader.integer())
        case 2: self = .apply(try Order(from: &reader))
        case 3: self = .inspect
        case 4: self = .stopAll
        case let other: throw .unknownMessage(other)
        }
    }
}
