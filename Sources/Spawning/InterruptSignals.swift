import Dispatch
import Glibc

/// SIGINT, SIGTERM and SIGHUP as a stream, instead of the sudden end they are by default.
package enum InterruptSignals {
    /// Waits for the first of them. Nil when the waiting is cancelled; the default behaviour is then back.
    package static func first() async -> Int32? {
        let signals = [SIGINT, SIGTERM, SIGHUP]
        let (stream, continuation) = AsyncStream.makeStream(of: Int32.self, bufferingPolicy: .bufferingOldest(1))
        let sources = signals.map { number in
            // A dispatch source only sees signals whose default action is off.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
        var received: Int32?
        for await number in stream {
            received = number
            break
        }
        for source in sources { source.cancel() }
        // After a signal the others stay ignored, so that a second Ctrl-C does not cut the cleaning up short.
        if received == nil { for number in signals { signal(number, SIG_DFL) } }
        return received
    }
}
