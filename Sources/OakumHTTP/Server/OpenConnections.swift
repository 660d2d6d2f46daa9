import NIOCore
import Synchronization

/// The connections of one server, so that they can be counted, limited and ended.
final class OpenConnections: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var ending = false
    }
    private let state = Mutex(State())
    private let limit: Int

    /// At most `limit` at once; a connection beyond that is closed unanswered, since even a refusal costs memory.
    init(limit: Int) {
        self.limit = limit
    }

    var count: Int { state.withLock { $0.channels.count } }

    /// Counts a connection until it closes. False when it must be closed: too many are open, or the server is ending.
    func add(_ channel: any Channel) -> Bool {
        let added = state.withLock { state in
            guard !state.ending, state.channels.count < limit else { return false }
            state.channels[ObjectIdentifier(channel)] = channel
            return true
        }
        if added {
            channel.closeFuture.whenComplete { [self] _ in remove(channel) }
        }
        return added
    }

    private func remove(_ channel: any Channel) {
        state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = nil
        }
    }

    /// Idle connections close at once, busy ones after their answer, and all after `grace`.
    func end(grace: TimeAmount) {
        let channels = state.withLock { state in
            state.ending = true
            return Array(state.channels.values)
        }
        for channel in channels {
            channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
            channel.eventLoop.scheduleTask(in: grace) { channel.close(promise: nil) }
        }
    }
}
