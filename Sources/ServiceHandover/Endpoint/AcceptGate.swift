import Logging
import NIOCore

/// First in a listening channel's pipeline: decides whether to accept, and lets the channel close only when every
/// connection it accepted has been set up.
///
/// A listening channel that closes while a connection is being set up on another event loop drops that connection,
/// so closing has to wait for those; connections nobody accepted yet stay in the socket's queue for other workers.
final class AcceptGate: ChannelDuplexHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel
    typealias OutboundIn = Never
    typealias OutboundOut = Never

    private struct Block: OptionSet {
        let rawValue: Int
        static let notStarted = Block(rawValue: 1)
        static let full = Block(rawValue: 2)
        static let outOfResources = Block(rawValue: 4)
        static let stopping = Block(rawValue: 8)
    }

    private let maximum: Int
    private let logger: Logger
    private var blocks: Block = .notStarted
    private var holdsRead = false
    private var settingUp: Set<ObjectIdentifier> = []
    private var open = 0
    private var context: ChannelHandlerContext?
    private var stopped: EventLoopPromise<Void>?

    init(maximum: Int, logger: Logger) {
        self.maximum = maximum
        self.logger = logger
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: Commands, on the event loop

    /// Begins to accept.
    func start() { lift(.notStarted) }

    /// Accepts no more, and closes this process's descriptor once all accepted connections are set up.
    func stop(_ promise: EventLoopPromise<Void>) {
        guard let context else {
            promise.succeed()
            return
        }
        blocks.insert(.stopping)
        stopped = promise
        // Takes back a wish to read that was uttered before.
        context.channel.setOption(.autoRead, value: false).whenFailure { [logger] error in
            logger.debug("listening channel closed before it was stopped: \(error)")
        }
        closeWhenQuiet()
    }

    /// A connection has come through the set-up and is registered.
    func isSetUp(_ channel: any Channel) {
        settingUp.remove(ObjectIdentifier(channel))
        closeWhenQuiet()
    }

    // MARK: Channel events

    func read(context: ChannelHandlerContext) {
        if blocks.isEmpty {
            context.read()
        } else {
            holdsRead = true
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let accepted = unwrapInboundIn(data)
        open += 1
        if open >= maximum { blocks.insert(.full) }
        settingUp.insert(ObjectIdentifier(accepted))
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        accepted.closeFuture.hop(to: context.eventLoop).whenComplete { _ in bound.value.closed(accepted) }
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The channel stays open on errors that pass (no descriptors left, a client gone before its turn).
        // Without a pause a full descriptor table would spin, for the kernel reports the socket ready again at once.
        logger.warning("could not accept a connection, trying again shortly: \(error)")
        blocks.insert(.outOfResources)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(100)) { bound.value.lift(.outOfResources) }
    }

    private func closed(_ channel: any Channel) {
        open -= 1
        settingUp.remove(ObjectIdentifier(channel))
        closeWhenQuiet()
        if open < maximum { lift(.full) }
    }

    private func lift(_ block: Block) {
        guard blocks.contains(block) else { return }
        blocks.remove(block)
        guard blocks.isEmpty, holdsRead else { return }
        holdsRead = false
        context?.read()
    }

    private func closeWhenQuiet() {
        guard let promise = stopped, settingUp.isEmpty else { return }
        stopped = nil
        guard let context else {
            promise.succeed()
            return
        }
        // close(2) on our descriptor alone; shutdown(2) would end the socket for every process that shares it.
        context.close(mode: .all, promise: promise)
    }
}

/// Last in a listening channel's pipeline: a connection that comes by here is set up.
final class AcceptedWatch: ChannelInboundHandler {
    typealias InboundIn = any Channel
    typealias InboundOut = any Channel

    private let gate: AcceptGate
    private let logger: Logger

    init(gate: AcceptGate, logger: Logger) {
        self.gate = gate
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let accepted = unwrapInboundIn(data)
        context.fireChannelRead(data)
        gate.isSetUp(accepted)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        logger.debug("a connection ended while it was set up: \(error)")
    }
}
