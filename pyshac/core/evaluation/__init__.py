"""Where and how the user's function runs.

A sample and its score cross the border of the slot and, if the slot has a worker process, the
border of the process:

    engine's process                                  worker process
    ----------------                                  --------------
    SlotPool.run
      Round                 once per process:
        waiting samples     environment, TaskRunner
          |                 (evaluator, function) ---> worker.start
          v                 once per sample:
        Slot.submit ------- Task (number, ----------->  worker.evaluate
                            parameters, seed,             TaskRunner: time limit, evaluator,
                            limits of curves)             the user's function, check of the score,
                                                          and its curve, as it is reported
        Slot.read <-------- Reply (score or <---------  packed, with the memory the process holds
          |                 exception, curve),
          v                 pickled
        Outcome -> the caller, which writes the score to disk before the slot is free again

Neither the engine nor the dataset is ever sent. In a user's executor, `executor_worker` takes the
place of `worker`: a process asks for the TaskRunner when it first sees a sample of a pool.
"""
