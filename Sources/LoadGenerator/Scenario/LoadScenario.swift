/// What to load, how, and which limits must hold: what a scenario file says, or a command line.
package struct LoadScenario: Sendable {
    /// A stretch of the load.
    package struct Stage: Hashable, Sendable {
        package enum Amount: Hashable, Sendable {
            /// Open loop: flows begun a second, at the beginning and the end of the stage.
            case rate(from: Double, to: Double)
            /// Closed loop: users, at the beginning and the end of the stage.
            case users(from: Int, to: Int)
        }

        package var seconds: Double
        package var amount: Amount

        package init(seconds: Double, amount: Amount) {
            self.seconds = seconds
            self.amount = amount
        }
    }

    package var name: String
    package var targets: [LoadTarget] = []
    /// Nil: the caller's choice.
    package var seed: UInt64?
    package var timeoutSeconds = 10.0
    /// Nil: 256, or one a user.
    package var connections: Int?
    package var keepsConnections = true
    /// Open loop: an answered connection rests so long. Closed loop: a user does between two flows.
    package var thinkSeconds: ClosedRange<Double> = 0...0
    package var keys = KeySource.fresh
    package var preparation: [PreparationStep] = []
    /// Each with its weight.
    package var flows: [LoadStream] = []
    /// All of one kind: rates, or users.
    package var stages: [Stage] = []
    package var thresholds: [LoadThreshold] = []
    /// At most so many flows.
    package var limit: UInt64?

    package init(name: String) {
        self.name = name
    }

    package var loop: LoadLoop {
        if case .users = stages.first?.amount { return .closed }
        return .open
    }

    package var seconds: Double { stages.reduce(0) { $0 + $1.seconds } }

    /// The plan of the scenario.
    /// - Parameters:
    ///   - seed: when the scenario names none.
    ///   - freshSalt: of keys that no other run has.
    package func plan(seed: UInt64, freshSalt: UInt64) -> LoadPlan {
        let total = flows.reduce(0) { $0 + $1.weight }
        let shares = flows.map { $0.weight / total }
        let steps = stages.map { stage in
            switch stage.amount {
            case .rate(let from, let to):
                LoadStep(
                    seconds: stage.seconds, perSecond: shares.map { $0 * from },
                    perSecondAtEnd: from == to ? nil : shares.map { $0 * to })
            case .users(let from, let to):
                LoadStep(seconds: stage.seconds, users: from, usersAtEnd: from == to ? nil : to)
            }
        }
        // What is drawn for a run through a flow comes before this.
        let variables = flows.first?.variables ?? []
        let users = UserSchedule(steps: loop == .closed ? steps : []).most
        var plan = LoadPlan(
            seed: self.seed ?? seed, targets: targets,
            connections: ConnectionPolicy(
                limit: connections ?? max(256, users), thinkSeconds: thinkSeconds),
            preparation: preparation, loop: loop,
            streams: flows.map { flow in
                var flow = flow
                flow.newConnectionEach = !keepsConnections
                return flow
            },
            steps: steps, timeoutSeconds: timeoutSeconds, keys: keys, freshSalt: freshSalt, limit: limit)
        plan.variables = variables
        return plan
    }

    /// In a line: "open loop, 50/s for 30 s, then 50/s to 500/s in 60 s".
    package var loadInWords: String {
        let parts = stages.map { stage in
            let length = Figures.seconds(stage.seconds)
            switch stage.amount {
            case .rate(let from, let to) where from == to: return "\(Self.rate(from)) for \(length)"
            case .rate(let from, let to): return "\(Self.rate(from)) to \(Self.rate(to)) in \(length)"
            case .users(let from, let to) where from == to: return "\(from) users for \(length)"
            case .users(let from, let to): return "\(from) to \(to) users in \(length)"
            }
        }
        let most = limit.map { ", at most \(Figures.grouped($0)) in all" } ?? ""
        return "\(loop.rawValue) loop, " + parts.joined(separator: ", then ") + most
    }

    private static func rate(_ value: Double) -> String {
        Figures.number(value, places: value == value.rounded() ? 0 : 2) + "/s"
    }
}

/// Where a load goes, as people write it.
package struct LoadAddress: Hashable, Sendable {
    package var target: LoadTarget
    /// With its query; "/" when none was written.
    package var path: String

    /// Why a text is no address.
    package struct Failure: Error, Hashable, Sendable {
        package var message: String
    }

    /// Reads "http://host:port/path?query", "host:port", "unix:/run/web.sock", and "unix:/run/web.sock:/path".
    package init(parsing text: String) throws(Failure) {
        guard !text.utf8.contains(where: { $0 <= 32 || $0 == 127 }) else {
            throw Failure(message: "an address has no spaces: `\(text)`")
        }
        if text.hasPrefix("unix:") {
            let rest = text.dropFirst(5)
            let parts = rest.split(separator: ":", maxSplits: 1)
            guard let socket = parts.first, socket.hasPrefix("/") || socket.hasPrefix("@"), socket.utf8.count <= 107
            else { throw Failure(message: "`\(text)`: write unix:/path/of/the.sock, at most 107 bytes") }
            target = LoadTarget(socketPath: String(socket))
            path = parts.count > 1 ? String(parts[1]) : "/"
        } else {
            guard !text.hasPrefix("https:") else {
                throw Failure(message: "TLS is not spoken here: load the service itself, behind what ends its TLS")
            }
            let rest = text.hasPrefix("http://") ? text.dropFirst(7) : text[...]
            let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
            target = try Self.hostAndPort(rest[..<end], of: text)
            path = String(rest[end...].prefix { $0 != "#" })
        }
        if path.isEmpty { path = "/" }
        if path.hasPrefix("?") { path = "/" + path }
        guard path.hasPrefix("/") else { throw Failure(message: "`\(text)`: a path begins with /") }
    }

    private static func hostAndPort(_ text: Substring, of whole: String) throws(Failure) -> LoadTarget {
        var host = text
        var port = 80
        let bracket = text.lastIndex(of: "]")
        if let colon = text.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            host = text[..<colon]
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else {
                throw Failure(message: "`\(whole)`: the port must be within 1–65535")
            }
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, !host.contains("@") else {
            throw Failure(message: "`\(whole)`: write http://host:port/path, without a user")
        }
        return LoadTarget(host: String(host), port: port)
    }
}

extension LoadTarget: CustomStringConvertible {
    package var description: String {
        if let socketPath { return "unix:\(socketPath)" }
        return "http://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
    }
}
