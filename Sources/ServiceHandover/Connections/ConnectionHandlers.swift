import NIOCore
import NIOHTTP1

/// First in the pipeline: sees bytes, reads and ends of a connection before HTTP does.
final class ConnectionEdge: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }

    func handlerAdded(context: ChannelHandlerContext) {
        connection.attached(edge: context)
    }

    func channelActive(context: ChannelHandlerContext) {
        connection.active()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        connection.inactive()
        context.fireChannelInactive()
    }

    func read(context: ChannelHandlerContext) {
        connection.readWanted(true)
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard connection.received(unwrapInboundIn(data).readableBytes) else { return }
        context.fireChannelRead(data)
        connection.parsed()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        connection.readWanted(false)
        context.fireChannelReadComplete()
        // While lingering nobody above asks for bytes any more.
        if connection.state.discardsInput { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent {
            connection.inputEnded()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        context.close(mode: mode, promise: promise)
        if mode == .output { connection.outputEnded() }
    }
}

/// Between the HTTP/1 parser and everything above it: frames answers and knows when each is written.
final class ConnectionMessages: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private let connection: Connection
    private var dropsRequest = false

    init(_ connection: Connection) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            dropsRequest = !connection.requestHead(head)
        case .body(let bytes):
            connection.requestBody(bytes.readableBytes)
        case .end:
            connection.requestEnd()
        }
        if !dropsRequest { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            guard head.status.code >= 200 else {
                if connection.answersOldVersion {
                    promise?.succeed()
                } else {
                    context.write(data, promise: promise)
                }
                return
            }
            connection.frame(&head)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            let written = promise ?? context.eventLoop.makePromise(of: Void.self)
            let bound = NIOLoopBound(connection, eventLoop: context.eventLoop)
            // A failure needs no answer here: the channel goes down with it and counts what it still owed.
            written.futureResult.whenSuccess { bound.value.answerWritten() }
            context.write(data, promise: written)
        }
    }
}
