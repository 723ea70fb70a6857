"""What the product does, one verb a function; collaborators are keyword arguments.

A center's webhook, a button on the dashboard and a schedule reach the same function here.
"""
