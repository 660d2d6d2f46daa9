import LeakDetection

/// What the gate takes for granted and how sure it must be. The defaults are the ones docs/release-gate.md gives figures for.
package struct GateSettings: Hashable, Sendable {
    package var canary = Stage(leastSeconds: 180, mostSeconds: 10_800, required: [.liveness, .errors])
    package var bake = Stage(leastSeconds: 86_400, mostSeconds: 86_400, required: [.liveness, .memory])
    /// A worker that has told nothing for so long is not known to be well.
    package var staleSeconds = 30.0
    package var errors = Errors()
    package var latency = Latency()
    package var cpu = CPU()
    package var memory = Memory()

    package init() {}

    /// A canary that is to prove everything before the promotion, memory included: half an hour to three hours.
    package static var proving: GateSettings {
        var settings = GateSettings()
        settings.canary = Stage(leastSeconds: 1_800, mostSeconds: 10_800, required: Set(GateSignal.allCases))
        return settings
    }

    /// How long a stage lasts, and what must pass for it to pass. Every signal may fail it, required or not.
    package struct Stage: Hashable, Sendable {
        /// It does not pass before.
        package var leastSeconds: Double
        /// Who waits for more data waits no longer: the release is promoted *unproven*, or taken back, by its caller.
        package var mostSeconds: Double
        package var required: Set<GateSignal>

        package init(leastSeconds: Double, mostSeconds: Double, required: Set<GateSignal>) {
            self.leastSeconds = leastSeconds
            self.mostSeconds = mostSeconds
            self.required = required
        }
    }

    package struct Errors: Hashable, Sendable {
        /// Chance that releases that fail equally often are told apart, however often one looks.
        package var alpha = 0.001
        /// Nothing passes while this much speaks against it: a canary is extended rather than promoted half-way to failing.
        package var doubtAlpha = 0.05
        /// Of each arm.
        package var leastRequests = 200.0

        package init() {}
    }

    package struct Latency: Hashable, Sendable {
        package var quantile = 0.99
        /// Fails when the quantile is higher by more than this for sure; passes when it is not, for sure.
        package var mostRatio = 1.2
        /// Of each arm: twenty of them lie above the quantile.
        package var leastRequests = 2_000.0
        package var leastBlocks = 8
        /// Half the width of the interval in standard errors: 99.9 % on both sides, because every look may fail.
        package var sigmas = 3.29

        package init() {}
    }

    package struct CPU: Hashable, Sendable {
        /// Of CPU seconds for each request.
        package var mostRatio = 1.2
        package var leastRequests = 200.0
        package var leastBlocks = 8
        package var sigmas = 3.29
        /// What is not for requests (timers, collection) falls on few requests in one arm and on many in the other when they
        /// are shared out unevenly: beyond this ratio nothing is said.
        package var mostUneven = 2.0

        package init() {}
    }

    package struct Memory: Hashable, Sendable {
        /// The start is left out until the baseline is warm, at most so long.
        package var warmUpSeconds = 600.0
        /// Warm: in so many seconds…
        package var warmSpanSeconds = 300.0
        /// …it grew by no more than this.
        package var warmBytes = 1_048_576.0
        package var blockSeconds = 120.0
        package var leastBlocks = 8
        /// Few blocks show too little of their noise for a pass.
        package var passingBlocks = 16
        /// More blocks make longer ones.
        package var mostBlocks = 96
        /// Looks closer together than this see the same data.
        package var lookSeconds = 600.0
        /// Bounds of the slope, one-sided 99 %: so many standard errors, and more for few blocks (Student).
        package var sigmas = 2.326
        /// A growth may be something that fills up with a scale of up to so much of the compared stretch…
        package var fillingScale = 1.1
        /// …until a straight line is likelier: by this logarithm of a likelihood ratio at the stage's start…
        package var earlyMargin = 3.0
        /// …and by this one at its end.
        package var endMargin = 0.5
        /// One look fails, instead of two in a row, when the limit is expected within this time: two looks.
        package var urgentSeconds = 1_200.0
        /// Fails, for two looks in a row, when the limit may be reached within this time…
        package var soonSeconds = 86_400.0
        /// …or is expected within this one. Passes when it cannot be reached within it.
        package var laterSeconds = 259_200.0
        package var leastRequests = 200.0
        /// Readings are no finer than this.
        package var resolutionBytes = DetectionSettings.worker.resolution
        /// Free memory when no limit is known.
        package var assumedHeadroomBytes = DetectionSettings.worker.assumedHeadroom
        /// A worker that served less than this share of what the busiest of its arm did is left out: so little says little.
        package var leastShare = 0.25

        package init() {}
    }
}

/// What is looked at. Raw values are stored and shown: added to, never renamed.
package enum GateSignal: String, Hashable, Sendable, Codable, CaseIterable {
    /// Crashes, kills for want of memory, readiness.
    case liveness
    case errors
    case latency
    case cpu
    case memory
}
