/// How a dispatcher works. Every number is a bound.
package struct OutboxSettings: Sendable {
    package var schedule: RetrySchedule
    /// By the kind of message; others follow `schedule`.
    package var schedulesByKind: [String: RetrySchedule]
    package var traffic: OutboxTraffic
    /// For one attempt; after that the sender is cancelled, and the message comes again.
    package var sendTimeout: Duration
    /// How long a graceful stop waits for attempts in flight before it cuts them short.
    package var stopWithin: Duration
    /// At the latest after this long the tables are looked at, for what other processes have enqueued.
    package var idleCheck: Duration
    /// How much may be known in memory alone while the disk is full. Beyond that nothing more is sent until there is
    /// room.
    package var maximumUnwritten: Int

    package init(
        schedule: RetrySchedule = .pages, schedulesByKind: [String: RetrySchedule] = [:],
        traffic: OutboxTraffic = OutboxTraffic(), sendTimeout: Duration = .seconds(15),
        stopWithin: Duration = .seconds(10), idleCheck: Duration = .seconds(30), maximumUnwritten: Int = 4096
    ) {
        self.schedule = schedule
        self.schedulesByKind = schedulesByKind
        self.traffic = traffic
        self.sendTimeout = sendTimeout
        self.stopWithin = stopWithin
        self.idleCheck = idleCheck
        self.maximumUnwritten = maximumUnwritten
    }

    func schedule(_ kind: String) -> RetrySchedule {
        schedulesByKind[kind] ?? schedule
    }
}

/// What the owner of a dispatcher may want to know as it happens.
package enum OutboxNotice: Hashable, Sendable {
    /// Final news wait to be heard: `unheardOutcomes`. Comes after each turn while there are any.
    case outcomes
    /// Attempts of a process that died are made again.
    case deserted(Int)
    /// Nothing can be written. Messages go out all the same; intake is refused by `enqueue` itself.
    case trouble(OutboxError)
    /// Writing works again, and everything has been written.
    case recovered
}
