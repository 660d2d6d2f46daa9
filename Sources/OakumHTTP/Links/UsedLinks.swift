import Glibc
import OakumModel
import Synchronization

/// Which links have acted: a link acts once, also across a restart.
///
/// A file of mode 0600, one line a link: `expiry ms` and nonce. Each line is on the disk before the answer. Links that have
/// expired are forgotten when the file is opened, or when it has grown to `capacity` lines; should all of these still be
/// good, those that expire first are forgotten, and would act again if somebody still had them.
final class UsedLinks: Sendable {
    private struct State {
        var used: [String: WallTime] = [:]
        /// At work: asked for, and not yet known to have acted.
        var underWay: Set<String> = []
        var lines = 0
    }

    enum Claim: Hashable, Sendable {
        case free
        case used
        /// The same link is acting at this moment.
        case underWay
    }

    private let path: String
    private let capacity: Int
    private let state: Mutex<State>

    init(path: String, capacity: Int = 20_000, now: WallTime) throws(SigningKeyError) {
        self.path = path
        self.capacity = capacity
        let bytes: [UInt8]?
        do {
            bytes = try PrivateFile.read(path)
        } catch {
            throw SigningKeyError("\(error)")
        }
        var state = State()
        // A line a crash cut off names no link: that one had not been answered.
        for line in String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count == 2, let expires = Int64(fields[0]), fields[1].utf8.count == 32 else { continue }
            state.used[String(fields[1])] = WallTime(milliseconds: expires)
        }
        state.used = state.used.filter { $0.value > now }
        self.state = Mutex(state)
        try rewrite()
    }

    func isUsed(_ nonce: String) -> Bool { state.withLock { $0.used[nonce] != nil } }

    /// Keeps a link for its caller until `finish` or `release`.
    func claim(_ nonce: String) -> Claim {
        state.withLock { state in
            if state.used[nonce] != nil { return .used }
            return state.underWay.insert(nonce).inserted ? .free : .underWay
        }
    }

    /// It has not acted, and may be tried again.
    func release(_ nonce: String) {
        state.withLock { _ = $0.underWay.remove(nonce) }
    }

    /// It has acted. Returns when that is durable.
    func finish(_ nonce: String, expires: WallTime, at now: WallTime) throws(SigningKeyError) {
        let isFull = state.withLock { state in
            state.underWay.remove(nonce)
            state.used[nonce] = expires
            state.lines += 1
            guard state.lines > capacity else { return false }
            state.used = state.used.filter { $0.value > now }
            let over = state.used.count - capacity * 3 / 4
            for (nonce, _) in state.used.sorted(by: { $0.value < $1.value }).prefix(max(0, over)) {
                state.used[nonce] = nil
            }
            return true
        }
        try isFull ? rewrite() : append("\(expires.milliseconds) \(nonce)\n")
    }

    private func append(_ line: String) throws(SigningKeyError) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw SigningKeyError("\(PrivateFile.failure("cannot open", path))") }
        defer { close(descriptor) }
        do {
            try PrivateFile.append(Array(line.utf8), to: descriptor, path)
        } catch {
            throw SigningKeyError("\(error)")
        }
    }

    private func rewrite() throws(SigningKeyError) {
        let lines = state.withLock { state in
            state.lines = state.used.count
            return state.used.map { "\($0.value.milliseconds) \($0.key)\n" }
        }
        do {
            try PrivateFile.replace(path, with: Array(lines.joined().utf8))
        } catch {
            throw SigningKeyError("used links cannot be kept: \(error)")
        }
    }
}
