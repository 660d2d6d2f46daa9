extension LoadPlan {
    /// What makes this plan impossible, with what to change; nil when it can run.
    package var problem: String? {
        targetProblem ?? streamProblem ?? stepProblem ?? captureProblem ?? capacityProblem
    }

    private var targetProblem: String? {
        if targets.isEmpty { return "no target: name at least one host and port" }
        for target in targets where target.socketPath == nil && !(1...65_535).contains(target.port) {
            return "port \(target.port) of \(target.host) is outside 1...65535"
        }
        guard timeoutSeconds.isFinite, timeoutSeconds > 0 else {
            return "the timeout is \(timeoutSeconds) s: give more than 0"
        }
        return nil
    }

    private var streamProblem: String? {
        if streams.isEmpty { return "no stream of requests" }
        for request in streams.flatMap(\.requests) + preparation.map(\.request) {
            if request.method.isEmpty || !request.method.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) {
                return "\(request.name): \"\(request.method)\" is no HTTP method"
            }
            for header in request.headers
            where header.name.isEmpty || header.name.utf8.contains(where: { $0 <= 32 || $0 >= 127 || $0 == 58 }) {
                return "\(request.name): \"\(header.name)\" is no header name"
            }
        }
        for stream in streams {
            guard stream.weight > 0, stream.weight.isFinite else {
                return "\(stream.request.name): a weight of \(stream.weight): give more than 0"
            }
            for step in stream.followUps
            where !(step.pauseSeconds.lowerBound >= 0 && step.pauseSeconds.upperBound.isFinite) {
                return "\(step.request.name): pauses must be 0 or more seconds"
            }
        }
        for step in preparation where step.count < 0 || step.concurrency < 1 {
            return "\(step.request.name): a preparation needs a count of at least 0 and a concurrency of at least 1"
        }
        return nil
    }

    private var stepProblem: String? {
        if steps.isEmpty { return "no step: say for how long and at which rates to send" }
        for step in steps {
            guard step.seconds.isFinite, step.seconds > 0 else {
                return "a step of \(step.seconds) s: give more than 0"
            }
            if let problem = loop == .open ? rateProblem(step) : userProblem(step) { return problem }
        }
        return nil
    }

    private func rateProblem(_ step: LoadStep) -> String? {
        for rates in [step.perSecond, step.perSecondAtEnd ?? step.perSecond] {
            guard rates.count == streams.count else {
                return "a step names \(rates.count) rates for \(streams.count) streams"
            }
            for rate in rates where !(0...1_000_000).contains(rate) {
                return "a rate of \(rate) a second is outside 0...1000000"
            }
        }
        return nil
    }

    private func userProblem(_ step: LoadStep) -> String? {
        for users in [step.users, step.usersAtEnd ?? step.users] where !(0...100_000).contains(users) {
            return "\(users) users are outside 0...100000"
        }
        return nil
    }

    private var captureProblem: String? {
        var known = Set(variables.map(\.name))
        for step in preparation {
            if let missing = step.request.capturedNames.subtracting(known).min() {
                return "\(step.request.name) needs {{\(missing)}}, which no earlier preparation captures"
            }
            let shared = step.request.shared + step.request.extractions.filter(\.isShared)
            if step.count > 0 { known.formUnion(shared.map(\.name)) }
        }
        let requests = streams.flatMap(\.requests)
        known.formUnion(requests.flatMap { $0.shared + $0.extractions.filter(\.isShared) }.map(\.name))
        for stream in streams {
            var own = known.union(stream.variables.map(\.name))
            for request in stream.requests {
                if let missing = request.capturedNames.subtracting(own).min() {
                    return "\(request.name) needs {{\(missing)}}, which no preparation captures"
                }
                own.formUnion(request.extractions.map(\.name))
            }
        }
        return nil
    }

    private var capacityProblem: String? {
        let think = connections.thinkSeconds
        guard think.lowerBound >= 0, think.upperBound.isFinite else {
            return "think times must be 0 or more seconds"
        }
        guard connections.limit >= targets.count else {
            return "\(connections.limit) connections for \(targets.count) targets: give each at least one"
        }
        guard loop == .open else {
            let users = UserSchedule(steps: steps).most
            guard connections.limit < users else { return nil }
            return "\(connections.limit) connections for \(users) users: give each one"
        }
        let resting = (think.lowerBound + think.upperBound) / 2
        let kept = steps.map { step in
            zip(worst(step), streams).reduce(0.0) { $1.1.newConnectionEach ? $0 : $0 + $1.0 }
        }
        let needed = Int(((kept.max() ?? 0) * resting).rounded(.up))
        guard connections.limit >= needed else {
            return """
                \(connections.limit) connections cannot carry this rate with a mean think time of \(resting) s: \
                give at least \(needed), or think less
                """
        }
        return nil
    }

    /// The higher of the rates at both ends, a stream each.
    private func worst(_ step: LoadStep) -> [Double] {
        zip(step.perSecond, step.perSecondAtEnd ?? step.perSecond).map { max($0, $1) }
    }
}
